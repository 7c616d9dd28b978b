import type { Site } from '../../project/site.ts'
import type { FileRow } from '../../project/file-rows.ts'
import type { Written } from '../../project/site-writer.ts'
import type { Files } from './files.ts'
import { filesIn, namedFile } from './naming.ts'

const PAGE = 1000

export interface SiteLookOptions {
  site: Site
  files: Files
  onNamed: () => void
  /** No item names a file any more. */
  onGone: (sha256: string) => void
}

/** Follows which files items name. */
export class SiteLook {
  readonly #options: SiteLookOptions

  constructor(options: SiteLookOptions) {
    this.#options = options
  }

  /** Documents of the site database were written. */
  async written({ documents }: Pick<Written, 'documents'>): Promise<void> {
    const { files, site, onNamed, onGone } = this.#options
    const named = documents.flatMap(({ after }) => filesIn(after))
    if (named.length > 0) {
      files.name(named, Date.now())
      onNamed()
    }
    const still = new Set(named.map(({ sha256 }) => sha256))
    const left = new Set(documents.flatMap(({ before }) => filesIn(before)).map(({ sha256 }) => sha256))
    for (const sha256 of left) {
      // Another item may have it as well.
      if (!still.has(sha256) && files.get(sha256) && !(await site.file(sha256))) onGone(sha256)
    }
  }

  /** Looks through the whole site: what was written while nobody looked. */
  async whole(signal: AbortSignal): Promise<void> {
    const { site, files, onNamed, onGone } = this.#options
    let known = ''
    for (let after: FileRow | undefined; ;) {
      signal.throwIfAborted()
      const rows = await site.files(PAGE, after)
      files.name(rows.map(namedFile), Date.now())
      onNamed()
      const isEnd = rows.length < PAGE
      const last = isEnd ? '~' : (rows.at(-1)?.sha256 ?? '')
      const named = new Set(rows.map(({ sha256 }) => sha256))
      if (after) named.add(after.sha256)
      for (const sha256 of this.#between(known, last))
        if (!named.has(sha256) && !(await site.file(sha256))) onGone(sha256)
      known = last
      after = rows.at(-1)
      if (isEnd) return
    }
  }

  *#between(after: string, last: string): Generator<string> {
    const { files } = this.#options
    for (let from = after; ;) {
      const page = files.list(from, PAGE)
      for (const sha256 of page) {
        if (sha256 > last) return
        yield sha256
      }
      from = page.at(-1) ?? ''
      if (page.length < PAGE) return
    }
  }
}
