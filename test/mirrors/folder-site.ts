import { createHash } from 'node:crypto'
import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { ProducedFile, ProducedSite } from '../../src/produce/produced-site.ts'

type Told = (paths: readonly string[]) => void

/** A site in a real folder, which tests write to as a producer would. */
export class FolderSite implements ProducedSite {
  readonly folder: string
  readonly files = new Map<string, ProducedFile>()
  readonly #listeners = new Set<Told>()

  constructor(folder: string) {
    this.folder = folder
  }

  onChanged(told: Told): () => void {
    this.#listeners.add(told)
    return () => this.#listeners.delete(told)
  }

  /** Writes files (removes those that are `undefined`), and then tells of all of them at once. */
  async change(texts: Readonly<Record<string, string | undefined>>): Promise<void> {
    for (const [path, text] of Object.entries(texts)) await this.#write(path, text)
    const paths = Object.keys(texts)
    for (const told of this.#listeners) told(paths)
  }

  /** What is in it, by path. */
  get hashes(): Record<string, string> {
    return Object.fromEntries([...this.files].map(([path, { sha256 }]) => [path, sha256]))
  }

  async #write(path: string, text: string | undefined): Promise<void> {
    const place = join(this.folder, path)
    if (text === undefined) {
      await rm(place, { force: true })
      this.files.delete(path)
      return
    }
    await mkdir(dirname(place), { recursive: true })
    await writeFile(`${place}.part`, text)
    await rename(`${place}.part`, place)
    this.files.set(path, { sha256: sha256(text), bytes: Buffer.byteLength(text) })
  }
}

export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

/** A front page and so many articles. */
export function pages(count: number): Record<string, string> {
  const articles = Array.from({ length: count }, (_, number) => [
    `articles/${number}/index.html`,
    `<p>Article ${number}</p>`,
  ])
  return { 'index.html': '<p>Front</p>', ...Object.fromEntries(articles) }
}
