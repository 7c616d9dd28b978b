import { open } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { crc32, deflateRawSync, inflateRawSync } from 'node:zlib'
import type { CleanLimits } from './limits.ts'
import { tooLarge, unreadable } from './problems.ts'

/** An entry as the central directory lists it (PKWARE APPNOTE 4.3.12). */
interface ZipEntry {
  name: string
  method: number
  packedBytes: number
  bytes: number
  crc: number
  at: number
}

const END_MARK = 0x06054b50
const ENTRY_MARK = 0x02014b50
const LOCAL_MARK = 0x04034b50
const END_BYTES = 22
const ENTRY_BYTES = 46
const LOCAL_BYTES = 30
const MOST_COMMENT = 65_535
const STORED = 0
const DEFLATED = 8
const ENCRYPTED = 1
const UTF8 = 0x800
/** 1 January 1980, the earliest that the format knows. */
const NO_DATE = 0x0021

/** Reads a zip archive within bounds that are checked before anything is inflated. */
export class ZipFile implements AsyncDisposable {
  readonly entries: readonly ZipEntry[]
  readonly #file: FileHandle

  private constructor(file: FileHandle, entries: ZipEntry[]) {
    this.#file = file
    this.entries = entries
  }

  /** @throws HyperactiveError `media_unreadable` for what is damaged, encrypted or of an unusual kind, `media_too_large` */
  static async open(path: string, limits: Pick<CleanLimits, 'entries' | 'inflatedBytes'>): Promise<ZipFile> {
    const file = await open(path)
    try {
      return new ZipFile(file, await readDirectory(file, limits))
    } catch (error) {
      await file.close()
      throw error
    }
  }

  async read(entry: ZipEntry): Promise<Buffer> {
    const local = await readAt(this.#file, entry.at, LOCAL_BYTES)
    if (local.readUInt32LE(0) !== LOCAL_MARK) throw unreadable('its parts are not where they should be')
    const start = entry.at + LOCAL_BYTES + local.readUInt16LE(26) + local.readUInt16LE(28)
    const packed = await readAt(this.#file, start, entry.packedBytes)
    let bytes: Buffer
    try {
      bytes =
        entry.method === STORED
          ? packed
          : inflateRawSync(packed, { maxOutputLength: Math.max(1, entry.bytes) })
    } catch (error) {
      throw unreadable('one of its parts cannot be unpacked, or is larger than it says', error)
    }
    if (bytes.length !== entry.bytes || crc32(bytes) !== entry.crc) throw unreadable('one of its parts')
    return bytes
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close()
  }
}

async function readAt(file: FileHandle, at: number, bytes: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(bytes), 0, bytes, at)
  if (bytesRead !== bytes) throw unreadable('it ends too early')
  return buffer
}

async function readDirectory(
  file: FileHandle,
  limits: Pick<CleanLimits, 'entries' | 'inflatedBytes'>,
): Promise<ZipEntry[]> {
  const { size } = await file.stat()
  const tailBytes = Math.min(size, END_BYTES + MOST_COMMENT)
  const tail = await readAt(file, size - tailBytes, tailBytes)
  const end = tail.lastIndexOf('PK\u0005\u0006', undefined, 'latin1')
  if (end < 0 || end + END_BYTES > tail.length || tail.readUInt32LE(end) !== END_MARK)
    throw unreadable('its end is missing')
  const count = tail.readUInt16LE(end + 10)
  if (count > limits.entries) throw tooLarge(`it has ${count} parts; ${limits.entries} at most`)
  const directory = await readAt(file, tail.readUInt32LE(end + 16), tail.readUInt32LE(end + 12))
  const entries: ZipEntry[] = []
  const names = new Set<string>()
  let inflated = 0
  let at = 0
  for (let index = 0; index < count; index += 1) {
    if (at + ENTRY_BYTES > directory.length || directory.readUInt32LE(at) !== ENTRY_MARK)
      throw unreadable('its table of contents')
    const nameEnd = at + ENTRY_BYTES + directory.readUInt16LE(at + 28)
    const name = directory.toString('utf8', at + ENTRY_BYTES, nameEnd)
    const entry = {
      name,
      method: directory.readUInt16LE(at + 10),
      crc: directory.readUInt32LE(at + 16),
      packedBytes: directory.readUInt32LE(at + 20),
      bytes: directory.readUInt32LE(at + 24),
      at: directory.readUInt32LE(at + 42),
    }
    if (directory.readUInt16LE(at + 8) & ENCRYPTED) throw unreadable('it is protected by a password')
    if (entry.method !== STORED && entry.method !== DEFLATED)
      throw unreadable('it is packed in an unusual way')
    if (names.has(name)) throw unreadable('two of its parts have one name')
    names.add(name)
    inflated += entry.bytes
    if (inflated > limits.inflatedBytes) throw tooLarge('what it unpacks to')
    if (entry.packedBytes > size) throw unreadable('it ends too early')
    if (!name.endsWith('/')) entries.push(entry)
    at = nameEnd + directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32)
  }
  return entries
}

/** Writes a zip archive without dates, owners, comments or extra fields. */
export class ZipWriter {
  readonly #file: FileHandle
  readonly #directory: Buffer[] = []
  #at = 0

  constructor(file: FileHandle) {
    this.#file = file
  }

  async add(name: string, bytes: Buffer, compress = true): Promise<void> {
    const deflated = compress ? deflateRawSync(bytes) : bytes
    const smaller = compress && deflated.length < bytes.length
    const packed = smaller ? deflated : bytes
    const path = Buffer.from(name)
    const common = Buffer.alloc(26)
    common.writeUInt16LE(20, 0)
    common.writeUInt16LE(UTF8, 2)
    common.writeUInt16LE(smaller ? DEFLATED : STORED, 4)
    common.writeUInt16LE(NO_DATE, 8)
    common.writeUInt32LE(crc32(bytes), 10)
    common.writeUInt32LE(packed.length, 14)
    common.writeUInt32LE(bytes.length, 18)
    common.writeUInt16LE(path.length, 22)
    const local = Buffer.concat([mark(LOCAL_MARK), common, path])
    const rest = Buffer.alloc(14)
    rest.writeUInt32LE(this.#at, 10)
    this.#directory.push(mark(ENTRY_MARK), Buffer.from([20, 0]), common, rest, path)
    await this.#file.write(local)
    await this.#file.write(packed)
    this.#at += local.length + packed.length
  }

  async end(): Promise<void> {
    const directory = Buffer.concat(this.#directory)
    const end = Buffer.alloc(END_BYTES)
    const count = this.#directory.length / 5
    end.writeUInt32LE(END_MARK, 0)
    end.writeUInt16LE(count, 8)
    end.writeUInt16LE(count, 10)
    end.writeUInt32LE(directory.length, 12)
    end.writeUInt32LE(this.#at, 16)
    await this.#file.write(directory)
    await this.#file.write(end)
  }
}

function mark(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}
