import { execFile } from 'node:child_process'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { crc32, deflateRawSync, deflateSync, inflateRawSync } from 'node:zlib'
import type { ExecutionContext } from 'ava'
import sharp from 'sharp'
import { Cleaner } from '../../../src/media/clean/cleaner.ts'
import type { CleanerOptions, CleanFile } from '../../../src/media/clean/cleaner.ts'
import { HyperactiveError } from '../../../src/errors.ts'
import { testFolder } from '../../helpers/folder.ts'

const execute = promisify(execFile)

export const NAME = 'Rosa Luxemburg'
export const PLACE = { latitude: '52.520008', longitude: '13.404954' }
/** What must not be in any file afterwards, as text. */
const SECRETS = [
  NAME,
  'Luxemburg',
  PLACE.latitude,
  PLACE.longitude,
  '52.5200',
  '+13.40',
  '52,31.2',
  'PRIVATE',
]

/** Runs a program in a test's folder and gives its output. */
export async function run(folder: string, command: string, ...args: string[]): Promise<string> {
  const nice = ['-n', '19', command, ...args]
  const { stdout } = await execute('nice', nice, { cwd: folder, maxBuffer: 32 * 1024 * 1024 })
  return stdout
}

/** Makes a file with ffmpeg from what it invents. */
export async function film(folder: string, name: string, ...args: string[]): Promise<string> {
  await run(folder, 'ffmpeg', '-v', 'error', '-y', ...args, name)
  return join(folder, name)
}

export const PICTURE_IN = ['-f', 'lavfi', '-i', 'testsrc2=size=64x48:rate=10:duration=2']
export const SOUND_IN = ['-f', 'lavfi', '-i', 'sine=duration=2']

/** A picture whose left half is red and right half blue, in any format of sharp. */
export function halves(width = 60, height = 40) {
  const half = { width: width / 2, height, channels: 3 as const, background: '#0000ff' }
  return sharp({ create: { ...half, width, background: '#ff0000' } }).composite([
    { input: { create: half }, left: width / 2, top: 0 },
  ])
}

/** Writes everything into a file's metadata that exiftool writes into such files. */
export async function tell(folder: string, name: string, ...more: string[]): Promise<void> {
  const tags = [
    `-Artist=${NAME}`,
    `-XMP-dc:Creator=${NAME}`,
    `-XMP-photoshop:City=PRIVATE`,
    `-XMP-exif:GPSLatitude=${PLACE.latitude}`,
    `-XMP-exif:GPSLongitude=${PLACE.longitude}`,
    `-Comment=by ${NAME}`,
  ]
  await run(folder, 'exiftool', '-q', '-m', '-overwrite_original', ...tags, ...more, name)
}

/** What exiftool says about a file, by group and tag. */
export async function told(path: string): Promise<Record<string, unknown>> {
  const output = await run('/', 'exiftool', '-a', '-u', '-ee', '-G1', '-j', '-n', path)
  return (JSON.parse(output) as Record<string, unknown>[])[0] ?? {}
}

/** Texts of {@link SECRETS} that stand in some bytes, in UTF-8 or UTF-16. */
export function secretsIn(bytes: Buffer, more: readonly string[] = []): string[] {
  return [...SECRETS, ...more].filter((text) => {
    const wide = Buffer.from(text, 'utf16le')
    return bytes.includes(text) || bytes.includes(wide) || bytes.includes(Buffer.from(wide).swap16())
  })
}

/** Fails unless neither exiftool nor a look at the bytes finds anything of a person. */
export async function tellsNothing(t: ExecutionContext, path: string, more: string[] = []): Promise<void> {
  t.deepEqual(secretsIn(await readFile(path), more), [])
  const tags = await told(path)
  delete tags['SourceFile']
  t.deepEqual(secretsIn(Buffer.from(JSON.stringify(tags)), more), [])
  const groups = new Set(Object.keys(tags).map((tag) => tag.split(':')[0] ?? ''))
  const harmless =
    /^(?:ExifTool|System|File|Composite|JFIF|PNG|PNG-pHYs|RIFF|Track\d+|QuickTime|MPEG|Info|FLAC|Vorbis|Opus|Ogg|Matroska|PDF|ZIP|SVG|Adobe)$/
  t.deepEqual(
    [...groups].filter((group) => !harmless.test(group)),
    [],
  )
  t.deepEqual(
    Object.keys(tags).filter((tag) => /gps|thumbnail|location|comment|creator$|author/i.test(tag)),
    [],
  )
}

export interface Bench {
  folder: string
  cleaner: Cleaner
  work: string
  /** Gives a file of the test's folder to the cleaner. */
  clean: (name: string, signal?: AbortSignal) => Promise<CleanFile>
  /** Writes a file, gives it to the cleaner, and says how it was refused. */
  refused: (bytes: Uint8Array | string, more?: string) => Promise<HyperactiveError>
}

/** A cleaner with a folder; at the end of every test nothing is left in it but what the test was given. */
export async function bench(t: ExecutionContext, options: Partial<CleanerOptions> = {}): Promise<Bench> {
  const folder = await testFolder(t)
  const work = join(folder, 'work')
  const cleaner = await Cleaner.open({ folder: work, ...options })
  const clean = (name: string, signal?: AbortSignal) => cleaner.clean(join(folder, name), signal)
  return {
    folder,
    cleaner,
    work,
    clean,
    async refused(bytes, name = 'upload') {
      await writeFile(join(folder, name), bytes)
      const before = await readdir(work)
      const error = await t.throwsAsync(clean(name), { instanceOf: HyperactiveError })
      t.deepEqual(await readdir(work), before)
      t.false((await readdir(folder)).includes(name))
      return error
    },
  }
}

/** A zip archive; with `claims`, entries say that they hold that many bytes. */
export function zip(files: Record<string, string | Buffer>, claims?: number): Buffer {
  const local: Buffer[] = []
  const directory: Buffer[] = []
  let at = 0
  for (const [name, content] of Object.entries(files)) {
    const bytes = Buffer.from(content)
    const packed = deflateRawSync(bytes)
    const stored = name === 'mimetype'
    const path = Buffer.from(name)
    const common = Buffer.alloc(26)
    common.writeUInt16LE(20, 0)
    common.writeUInt16LE(stored ? 0 : 8, 4)
    common.writeUInt32LE(crc32(bytes), 10)
    common.writeUInt32LE(stored ? bytes.length : packed.length, 14)
    common.writeUInt32LE(claims ?? bytes.length, 18)
    common.writeUInt16LE(path.length, 22)
    const entry = Buffer.concat([Buffer.from('PK\u0003\u0004'), common, path, stored ? bytes : packed])
    const rest = Buffer.alloc(14)
    rest.writeUInt32LE(at, 10)
    directory.push(Buffer.concat([Buffer.from('PK\u0001\u0002\u0014\0'), common, rest, path]))
    local.push(entry)
    at += entry.length
  }
  const end = Buffer.alloc(22)
  end.write('PK\u0005\u0006')
  end.writeUInt16LE(directory.length, 8)
  end.writeUInt16LE(directory.length, 10)
  end.writeUInt32LE(Buffer.concat(directory).length, 12)
  end.writeUInt32LE(at, 16)
  return Buffer.concat([...local, ...directory, end])
}

/** What is in a zip archive that {@link ../../../src/media/clean/zip.ts} wrote. */
export function unzip(archive: Buffer): Map<string, Buffer> {
  const files = new Map<string, Buffer>()
  let at = 0
  while (archive.toString('latin1', at, at + 4) === 'PK\u0003\u0004') {
    const start = at + 30 + archive.readUInt16LE(at + 26)
    const end = start + archive.readUInt32LE(at + 18)
    const packed = archive.subarray(start, end)
    const isStored = archive.readUInt16LE(at + 8) === 0
    files.set(archive.toString('utf8', at + 30, start), isStored ? packed : inflateRawSync(packed))
    at = end
  }
  return files
}

/** A PDF of these objects, whose numbers begin at 1; the first one is the catalogue. */
export function pdf(
  objects: (string | [dictionary: string, stream: Buffer | string])[],
  trailer = '',
): Buffer {
  const parts = [Buffer.from('%PDF-1.7\n%\xE2\xE3\xCF\xD3\n', 'latin1')]
  let at = parts[0]?.length ?? 0
  const places: string[] = []
  for (const [index, object] of objects.entries()) {
    places.push(`${String(at).padStart(10, '0')} 00000 n \n`)
    const [dictionary, stream] = typeof object === 'string' ? [object] : object
    const bytes = stream === undefined ? undefined : Buffer.from(stream)
    const body =
      bytes === undefined
        ? Buffer.from(dictionary)
        : Buffer.concat([
            Buffer.from(dictionary.replace(/>>$/, `/Length ${bytes.length} >>\nstream\n`)),
            bytes,
            Buffer.from('\nendstream'),
          ])
    const part = Buffer.concat([Buffer.from(`${index + 1} 0 obj\n`), body, Buffer.from('\nendobj\n')])
    parts.push(part)
    at += part.length
  }
  const size = objects.length + 1
  const table = `xref\n0 ${size}\n0000000000 65535 f \n${places.join('')}`
  parts.push(
    Buffer.from(`${table}trailer\n<< /Size ${size} /Root 1 0 R ${trailer} >>\nstartxref\n${at}\n%%EOF\n`),
  )
  return Buffer.concat(parts)
}

/** A part of a PNG. */
function chunk(kind: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(kind), data])
  const ends = Buffer.alloc(8)
  ends.writeUInt32BE(data.length, 0)
  ends.writeUInt32BE(crc32(body), 4)
  return Buffer.concat([ends.subarray(0, 4), body, ends.subarray(4)])
}

/** A PNG that says it is this large and holds hardly anything. */
export function pngSaying(width: number, height: number): Buffer {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.set([8, 2], 8)
  const pixels = deflateSync(Buffer.alloc(4_000_000))
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1A\n', 'latin1'),
    chunk('IHDR', header),
    chunk('IDAT', pixels),
    chunk('IEND', Buffer.alloc(0)),
  ])
}
