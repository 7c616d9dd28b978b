import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'

/** The SHA-256 of a file's bytes, hexadecimal; undefined for a file that is not there. */
export async function hashFile(path: string, algorithm = 'sha256'): Promise<string | undefined> {
  const hash = createHash(algorithm)
  try {
    await pipeline(createReadStream(path), hash)
  } catch (error) {
    if (isAbsent(error)) return undefined
    throw error
  }
  return hash.digest('hex')
}

/** The file, or a folder above it, is not there. */
export function isAbsent(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException
  return code === 'ENOENT' || code === 'ENOTDIR'
}
