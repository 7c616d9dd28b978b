import { wallTime } from '../../ledger/clock.ts'
import type { FileRow } from '../../project/file-rows.ts'
import type { KnownFile, KnownMedia } from '../../project/media.ts'
import { CLASSES } from './files.ts'
import type { NamedFile } from './files.ts'

/** The files that a document of the site database names; none of one that is no item. */
export function filesIn(document: object | undefined): NamedFile[] {
  const { media = {}, at } = (document ?? {}) as { media?: Record<string, KnownMedia>; at?: string }
  return Object.values(media).flatMap(({ files, at: mediaAt }) =>
    files.map(({ sha256, bytes, type, as }: KnownFile) => ({
      sha256,
      bytes,
      atMs: wallTime(at ?? mediaAt),
      class: classOf(type, as),
    })),
  )
}

/** The same by a row of the view of files. */
export function namedFile({ sha256, bytes, type, as, at }: FileRow): NamedFile {
  return { sha256, bytes, atMs: at === undefined ? 0 : wallTime(at), class: classOf(type, as) }
}

function classOf(type: string, as: string | undefined): number {
  if (!type.startsWith('image/')) return CLASSES.other
  return as === undefined ? CLASSES.picture : CLASSES.made
}
