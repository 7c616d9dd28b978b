/**
 * A process of its own for tests of what a process can suffer: it is killed, its disk is full, its memory is small. What
 * it is to do stands in its arguments; it tells of what is done, line by line.
 */
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { HyperactiveError } from '../../../src/errors.ts'
import { PIECE_BYTES } from '../../../src/media/blobs/blob.ts'
import type { BlobManifest } from '../../../src/media/blobs/blob.ts'
import { FolderBlobs } from '../../../src/media/blobs/folder.ts'
import { ObjectBlobs } from '../../../src/media/blobs/object-blobs.ts'
import { S3Objects } from '../../../src/media/blobs/s3-objects.ts'
import { manifestOf, numbered, pieceOf, streamOf } from './bytes.ts'

const [task = '', folder = '', argument = ''] = process.argv.slice(2)

function say(what: unknown): void {
  process.stdout.write(`${JSON.stringify(what)}\n`)
}

/** A large file, made as it is read. */
function large(bytes: number): Readable {
  const block = randomBytes(64 * 1024)
  const blocks = function* () {
    for (let at = 0, number = 0; at < bytes; at += block.length, number += 1) {
      const next = Buffer.from(block)
      next.writeUInt32LE(number, 0)
      yield next.subarray(0, Math.min(block.length, bytes - at))
    }
  }
  return Readable.from(blocks(), { objectMode: false })
}

function codeOf(error: unknown): string {
  return error instanceof HyperactiveError ? error.code : String(error)
}

const TASKS: Record<string, () => Promise<void>> = {
  /** Writes small and large files without end. */
  async files() {
    const driver = await FolderBlobs.open(folder)
    for (let number = 0; ; number += 1) {
      const bytes = randomBytes(number % 2 === 0 ? 1000 : PIECE_BYTES + 1000)
      say((await driver.write(streamOf(bytes))).sha256)
    }
  },

  /** Writes files by pieces, in no order, without end; each can be made again from its number. */
  async pieces() {
    const driver = await FolderBlobs.open(folder)
    for (let number = 0; ; number += 1) {
      const bytes = numbered(number)
      const manifest = manifestOf(bytes)
      for (const index of [2, 0, 3, 1]) {
        await driver.writePiece(manifest, index, pieceOf(bytes, index))
        say({ number, index })
      }
    }
  },

  /** Writes what does not fit, and then, when a line comes, what does. */
  async full() {
    const driver = await FolderBlobs.open(folder)
    const bytes = Buffer.alloc(2 * PIECE_BYTES + 1000, 'x')
    const manifest = manifestOf(bytes)
    say('ready')
    await once(process.stdin, 'data')
    say(await driver.write(streamOf(bytes)).then(() => 'written', codeOf))
    for (const index of [1, 0, 2])
      say(await driver.writePiece(manifest, index, pieceOf(bytes, index)).then(String, codeOf))
    say([...(await driver.pieces(manifest))])
    await once(process.stdin, 'data')
    for (const index of [1, 0, 2])
      say(await driver.writePiece(manifest, index, pieceOf(bytes, index)).then(String, codeOf))
    process.exit(0)
  },

  /** Writes and reads when a line comes, and again when another does. */
  async busy() {
    const driver = await FolderBlobs.open(folder)
    say('ready')
    for (let turn = 0; turn < 2; turn += 1) {
      await once(process.stdin, 'data')
      say(await driver.write(streamOf(Buffer.from('x'))).then(() => 'written', codeOf))
      say(await driver.list().then(({ blobs }) => blobs.length, codeOf))
    }
    process.exit(0)
  },

  /** Writes and reads a file that is much larger than the heap. */
  async large() {
    const bytes = Number(argument)
    const server = process.argv[5]
    const driver = server
      ? new ObjectBlobs(
          new S3Objects(...(JSON.parse(server) as ConstructorParameters<typeof S3Objects>)),
          folder,
        )
      : await FolderBlobs.open(folder)
    const before = process.memoryUsage().rss
    let most = 0
    const watch = setInterval(() => (most = Math.max(most, process.memoryUsage().rss)), 20)
    const manifest: BlobManifest = await driver.write(large(bytes))
    const hash = createHash('sha256')
    const slow = new Writable({
      highWaterMark: 1,
      write(chunk: Buffer, _, done) {
        hash.update(chunk)
        setImmediate(done)
      },
    })
    await pipeline((await driver.read(manifest.sha256)).stream, slow)
    clearInterval(watch)
    say({ isSame: hash.digest('hex') === manifest.sha256, bytes: manifest.bytes, grown: most - before })
    process.exit(0)
  },
}

await TASKS[task]?.()
