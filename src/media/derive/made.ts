import type { MediaFile } from '../../ledger/media.ts'

/** A file that was made of another and is not kept yet. */
export interface Made extends Omit<MediaFile, 'sha256' | 'bytes' | 'pieces'> {
  /** Its name in the folder that it was made in. */
  file: string
  as: string
}
