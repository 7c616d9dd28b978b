/** A number of files and what they take up. */
export interface Total {
  files: number
  bytes: number
}

/** What files use on this node, as the last look has shown. */
export interface Usage {
  /** When the look ended, in milliseconds since 1970. */
  atMs: number
  /** What is in the store, whole or in part. */
  here: Total
  /** What items name and is not here, or not all of it. */
  missing: Total
  /** What is here and no document names. */
  orphans: Total
  /** As they were published, and made of those. */
  given: Total
  made: Total
  /** By the first part of their types: "image", "audio", "video"; others are "other". */
  sorts: (Total & { name: string })[]
  /** By the kinds of the items that have them. */
  kinds: (Total & { name: string })[]
}

/** One sum: of what, and by which name. */
export interface TotalRow extends Total {
  what: string
  name: string
}

export function totalRow({ what, name, files, bytes }: Record<string, unknown>): TotalRow {
  return { what: String(what), name: String(name), files: Number(files), bytes: Number(bytes) }
}

/** Puts the sums of a look together. */
export function usageOf(atMs: number, rows: readonly TotalRow[]): Usage {
  const named = (wanted: string) =>
    rows.filter(({ what }) => what === wanted).map(({ name, files, bytes }) => ({ name, files, bytes }))
  const total = (what: string, wanted = ''): Total => {
    const { files = 0, bytes = 0 } = named(what).find(({ name }) => name === wanted) ?? {}
    return { files, bytes }
  }
  return {
    atMs,
    here: total('here'),
    missing: total('missing'),
    orphans: total('orphans'),
    given: total('made', 'given'),
    made: total('made', 'made'),
    sorts: named('sort'),
    kinds: named('kind'),
  }
}

/** What the first part of a type says; what browsers show in no page of their own is "other". */
export function sortOf(type: string): string {
  const [first = ''] = type.split('/')
  return ['image', 'audio', 'video'].includes(first) ? first : 'other'
}
