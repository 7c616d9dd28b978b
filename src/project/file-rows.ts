/** A file by its digest, as the view `files` has it. */
export interface FileRow {
  sha256: string
  /** Whether readers get it: an item that they can read has it. */
  isShown: boolean
  item: string
  /** The hash of the media document that names it. */
  media: string
  /** The item's kind; absent before its first edit is here. */
  kind?: string
  type: string
  extension: string
  bytes: number
  name?: string
  /** What it was made as, and of which file. */
  as?: string
  of?: string
  /** The item's time; absent before its first edit is here. */
  at?: string
}

/** What to go on from behind a row. */
export function keyAfter({ sha256, isShown, item, media }: FileRow): unknown[] {
  return [sha256, isShown ? 0 : 1, item, `${media}0`]
}

export function fileRow({ key, value }: { key: unknown; value: unknown }): FileRow {
  const [sha256, rank, item, media] = key as [string, number, string, string]
  return {
    sha256,
    isShown: rank === 0,
    item,
    media,
    ...(value as Omit<FileRow, 'sha256' | 'isShown' | 'item' | 'media'>),
  }
}
