import type { FileHandle } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { PIECE_BYTES } from './blob.ts'
import type { BlobManifest } from './blob.ts'
import { writeAll } from './files.ts'
import { onDisk } from './problems.ts'
import { split } from './split.ts'
import type { SplitOptions } from './split.ts'

/**
 * Takes a stream into a file, which is closed behind it.
 *
 * @param where how messages call the place of the file
 * @param open makes the file, to be written and, if `use` does so, read
 * @param use what is done with the file when the stream has ended
 * @throws what the stream and `use` fail with, as it is; HyperactiveError `blob_disk_full` and the like for the file;
 * those of {@link split}
 */
export async function spool(
  source: Readable,
  { where, open, ...options }: SplitOptions & { where: string; open: () => Promise<FileHandle> },
  use: (file: FileHandle, manifest: BlobManifest) => Promise<void>,
): Promise<BlobManifest> {
  // Without anybody who listens, an error while the file is being made would end the process.
  source.on('error', () => undefined)
  const file = await onDisk(where, open).catch((error: unknown) => {
    source.destroy()
    throw error
  })
  try {
    const manifest = await split(
      source,
      ({ index, bytes }) => onDisk(where, () => writeAll(file, bytes, index * PIECE_BYTES)),
      options,
    )
    await use(file, manifest)
    return manifest
  } finally {
    await file.close()
  }
}
