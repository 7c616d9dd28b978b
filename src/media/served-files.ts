import type { FileRow } from '../project/file-rows.ts'
import type { Site } from '../project/site.ts'
import type { Written } from '../project/site-writer.ts'

const MOST = 20_000

/** Knows which files readers get, from memory where it was asked before: one page asks for many, and a film often. */
export class ServedFiles {
  readonly #site: Pick<Site, 'file'>
  readonly #known = new Map<string, FileRow | undefined>()
  #changes = 0

  constructor(site: Pick<Site, 'file'>) {
    this.#site = site
  }

  /** What is known of a file by its digest; undefined of one that no document names. */
  async find(sha256: string): Promise<FileRow | undefined> {
    if (this.#known.has(sha256)) return this.#known.get(sha256)
    const changes = this.#changes
    const row = await this.#site.file(sha256)
    // What was written meanwhile may say otherwise.
    if (changes !== this.#changes) return row
    if (this.#known.size >= MOST) this.#known.clear()
    this.#known.set(sha256, row)
    return row
  }

  /** What is known of it from memory. */
  known(sha256: string): FileRow | undefined {
    return this.#known.get(sha256)
  }

  /** To be called after documents of the site database were written. */
  written({ documents }: Pick<Written, 'documents'>): void {
    const named = documents.flatMap(({ before, after }) => [...digestsIn(before), ...digestsIn(after)])
    if (named.length === 0) return
    this.#changes += 1
    for (const sha256 of named) this.#known.delete(sha256)
  }

  /** To be called when the site database is made anew. */
  clear(): void {
    this.#changes += 1
    this.#known.clear()
  }
}

/** The digests of all files that media documents of an item name. */
export function digestsIn(document: object | undefined): string[] {
  const { media = {} } = (document ?? {}) as { media?: Record<string, { files: { sha256: string }[] }> }
  return Object.values(media).flatMap(({ files }) => files.map(({ sha256 }) => sha256))
}
