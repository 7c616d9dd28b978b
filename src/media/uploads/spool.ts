import { createWriteStream } from 'node:fs'
import { PassThrough, Transform } from 'node:stream'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { FILE_MODE } from '../blobs/files.ts'

/**
 * Writes a stream to a file, piece by piece as it comes. When that fails the stream is read on and what comes is dropped,
 * so that what comes after it in the same request is still read.
 *
 * @param options.start where in the file; a file that is there is not cut off
 * @param options.count is told the bytes before they are written; what it throws ends the writing
 * @returns how many bytes were written
 */
export async function spool(
  source: Readable,
  path: string,
  { start, count }: { start: number; count: (bytes: number) => void },
): Promise<number> {
  let written = 0
  const through = new PassThrough()
  const meter = new Transform({
    transform(chunk: Buffer, _, done) {
      try {
        count(chunk.length)
        written += chunk.length
        done(null, chunk)
      } catch (error) {
        done(error as Error)
      }
    },
  })
  const target = createWriteStream(path, { flags: start === 0 ? 'w' : 'r+', start, mode: FILE_MODE })
  const failed = (error: Error) => through.destroy(error)
  source.once('error', failed)
  source.pipe(through)
  try {
    await pipeline(through, meter, target)
    return written
  } catch (error) {
    source.unpipe(through)
    source.on('error', () => undefined)
    source.resume()
    throw error
  } finally {
    source.off('error', failed)
  }
}
