import { close, constants, fstat, open, read } from 'node:fs'
import { promisify } from 'node:util'

const [openFile, closeFile, stat] = [promisify(open), promisify(close), promisify(fstat)]

/** Files that stay open at most. */
const MOST_OPEN = 64
/** After so long, in use or not, a file is opened anew: another may have taken its place that was mended. */
const LONGEST_MS = 30_000
const LOOK_MS = 5_000

interface OpenFile {
  descriptor: number
  bytes: number
  sinceMs: number
  /** Reads that are under way. */
  users: number
  isLeft: boolean
}

/** Where bytes of a file are, and how many. */
export interface Place {
  position: number
  length: number
}

/** Keeps files open of which many parts are read one after the other: opening costs as much as reading a part. */
export class OpenFiles implements Disposable {
  readonly #files = new Map<string, OpenFile>()
  readonly #opening = new Map<string, Promise<OpenFile | undefined>>()
  readonly #looking: NodeJS.Timeout

  constructor() {
    this.#looking = setInterval(() => this.#look(), LOOK_MS).unref()
  }

  /**
   * How large a file is that stays open from now on for a while; undefined when it is not there, or not as it should be.
   *
   * @param options.check whether a file of so many bytes is what it should be
   */
  async sizeOf(
    name: string,
    { path, check }: { path: string; check: (bytes: number) => Promise<boolean> },
  ): Promise<number | undefined> {
    const known = this.#files.get(name)
    if (known) return known.bytes
    const opening = this.#opening.get(name) ?? this.#open(name, { path, check })
    this.#opening.set(name, opening)
    try {
      return (await opening)?.bytes
    } finally {
      this.#opening.delete(name)
    }
  }

  /** How large it is if it is open. */
  peek(name: string): number | undefined {
    return this.#files.get(name)?.bytes
  }

  /**
   * Reads into a buffer; calls back with how many bytes there were, or with undefined when the file is not open any more.
   */
  read(
    name: string,
    { into, position, length }: Place & { into: Buffer },
    done: (error: Error | null, bytesRead: number | undefined) => void,
  ): void {
    const file = this.#files.get(name)
    if (!file) {
      done(null, undefined)
      return
    }
    file.users += 1
    read(file.descriptor, into, 0, length, position, (error, bytesRead) => {
      file.users -= 1
      if (file.isLeft) this.#leave(file)
      done(error, error ? undefined : bytesRead)
    })
  }

  /** Lets go of a file that is deleted. */
  forget(name: string): void {
    const file = this.#files.get(name)
    this.#files.delete(name)
    if (file) this.#leave(file)
  }

  [Symbol.dispose](): void {
    clearInterval(this.#looking)
    for (const name of this.#files.keys()) this.forget(name)
  }

  async #open(
    name: string,
    { path, check }: { path: string; check: (bytes: number) => Promise<boolean> },
  ): Promise<OpenFile | undefined> {
    let descriptor: number
    try {
      descriptor = await openFile(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    } catch {
      return undefined
    }
    try {
      const found = await stat(descriptor)
      if (found.isFile() && (await check(found.size))) {
        const file = { descriptor, bytes: found.size, sinceMs: Date.now(), users: 0, isLeft: false }
        this.#files.set(name, file)
        const [oldest] = this.#files.keys()
        if (this.#files.size > MOST_OPEN && oldest !== undefined) this.forget(oldest)
        return file
      }
    } catch {
      // Whoever asks reads it another way, and is told.
    }
    await closeFile(descriptor).catch(() => undefined)
    return undefined
  }

  #look(): void {
    const now = Date.now()
    for (const [name, { sinceMs }] of this.#files) if (now - sinceMs > LONGEST_MS) this.forget(name)
  }

  #leave(file: OpenFile): void {
    file.isLeft = true
    if (file.users === 0) close(file.descriptor, () => undefined)
  }
}
