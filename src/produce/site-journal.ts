import { appendFileSync, closeSync, openSync } from 'node:fs'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import type { ProducedFile } from './produced-site.ts'

const NAME = '.hyperactive-site.journal'

/** What is kept of a file of a produced site. */
export const producedFile = z.object({ sha256: z.string().regex(/^[0-9a-f]{64}$/), bytes: z.int().min(0) })

/** What is said of a file: what it holds, that it is gone, or that it was touched since, so that nobody knows. */
export type Said = ProducedFile | 'gone' | 'touched'

/**
 * What has happened to the files of a produced site since they were listed: a line is added for each, so that a change
 * costs the same whatever the size of the site. A file is said to be touched before it is, so after a crash nothing is
 * taken for granted of what was being written.
 */
export class SiteJournal {
  readonly #path: string
  /** Files that were touched last. */
  readonly #touched = new Set<string>()
  #descriptor: number | undefined
  #lines = 0
  /** Whether a crash or a full disk has left half a line at its end. */
  #isCut = false

  constructor(folder: string) {
    this.#path = join(folder, NAME)
  }

  /** How many lines it has. */
  get lines(): number {
    return this.#lines
  }

  /** What it says, in the order in which it was said; nothing where there is none. */
  async read(): Promise<[file: string, said: Said][]> {
    let text: string
    try {
      text = await readFile(this.#path, 'utf8')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
      throw error
    }
    this.#isCut = text !== '' && !text.endsWith('\n')
    const lines = text.split('\n').filter((line) => line !== '')
    this.#lines = lines.length
    return lines.map(readLine)
  }

  /** To be called before a file is written or removed. */
  touch(file: string): void {
    if (this.#touched.has(file)) return
    this.#write(`${file}\n`, 1)
    this.#touched.add(file)
  }

  /** Says what files hold by now that were touched; of those of which nobody knows it nothing is said. */
  settle(saidOf: (file: string) => Said): void {
    const known = [...this.#touched].map((file) => [file, saidOf(file)] as const)
    const settled = known.filter(([, said]) => said !== 'touched')
    if (settled.length === 0) return
    const lines = settled.map(([file, said]) => `${file}\t${said === 'gone' ? '-' : JSON.stringify(said)}\n`)
    this.#write(lines.join(''), lines.length)
    for (const [file] of settled) this.#touched.delete(file)
  }

  /** Begins anew, when the files have been listed. */
  async clear(): Promise<void> {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor)
    this.#descriptor = undefined
    await rm(this.#path, { force: true })
    this.#touched.clear()
    this.#lines = 0
    this.#isCut = false
  }

  /** Lines of a few bytes, for thousands of files: waiting for each would take longer than everything else. */
  #write(text: string, lines: number): void {
    this.#descriptor ??= openSync(this.#path, 'a')
    const begin = this.#isCut ? '\n' : ''
    this.#isCut = true
    appendFileSync(this.#descriptor, begin + text)
    this.#isCut = false
    this.#lines += lines
  }
}

function readLine(line: string): [file: string, said: Said] {
  const [file = '', said = ''] = line.split('\t', 2)
  if (said === '-') return [file, 'gone']
  try {
    return [file, producedFile.parse(JSON.parse(said))]
  } catch {
    return [file, 'touched']
  }
}
