import { copyFile, mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { askChild } from './asking.ts'
import type { ChildAnswer, ChildJob } from './child.ts'
import { CLEAN_LIMITS } from './limits.ts'
import type { CleanLimits } from './limits.ts'
import { cleanPdf } from './pdf.ts'
import { orNoRoom, toolMissing, tooComplex } from './problems.ts'
import { cleanStreams } from './sound-and-video.ts'
import { findTools } from './tools.ts'
import type { Tools } from './tools.ts'
import { acceptedAs } from './types.ts'

const PREFIX = 'clean-'
const MIB = 1024 * 1024
const FILES_AT_ONCE = 2
const CHILD = join(import.meta.dirname, 'child.ts')

/** A file that may be stored. It stands in a folder of its own until it is moved away or disposed of. */
export interface CleanFile extends AsyncDisposable {
  path: string
  /** Its MIME type, which may be another than the original's. */
  type: string
  bytes: number
  /** Pixels of a picture or video as it is seen, turned upright. */
  width?: number
  height?: number
  /** Of sound and video. */
  durationMs?: number
  /** How a name for it ends, without a dot. */
  extension: string
}

export interface CleanerOptions {
  /**
   * Where files are worked on; made if missing. One cleaner has it for itself: at the start it removes what an earlier
   * one has left there. On the same disk as the uploads, a file is moved here instead of copied.
   */
  folder: string
  tools?: Tools
  limits?: Partial<CleanLimits>
  /** How many files are worked on at once; others wait. */
  atOnce?: number
}

type Made = Pick<CleanFile, 'type' | 'extension' | 'width' | 'height' | 'durationMs'>

/** Makes files fit to be stored: one after the other, each read only by processes with bounds that end with it. */
export class Cleaner {
  readonly tools: Tools
  readonly #folder: string
  readonly #limits: CleanLimits
  readonly #atOnce: number
  readonly #waiting: (() => void)[] = []
  #busy = 0

  private constructor(tools: Tools, { folder, limits, atOnce = FILES_AT_ONCE }: CleanerOptions) {
    this.tools = tools
    this.#folder = resolve(folder)
    this.#limits = { ...CLEAN_LIMITS, ...limits }
    this.#atOnce = atOnce
  }

  static async open(options: CleanerOptions): Promise<Cleaner> {
    await mkdir(options.folder, { recursive: true, mode: 0o700 })
    for (const name of await readdir(options.folder)) {
      if (name.startsWith(PREFIX))
        await rm(join(options.folder, name), { recursive: true, force: true, maxRetries: 5 })
    }
    return new Cleaner(options.tools ?? (await findTools()), options)
  }

  /**
   * Takes a file and gives one that was written anew from what is seen or heard in it. The original is gone from its
   * place as soon as this begins, and for good when it ends, however that is.
   *
   * @throws HyperactiveError `media_type_refused`, `media_unreadable`, `media_too_large`, `media_too_complex`,
   *   `media_tool_missing`, `media_no_room`; or what `signal` was aborted with
   */
  async clean(original: string, signal?: AbortSignal): Promise<CleanFile> {
    try {
      return await this.#cleanIn(await mkdtemp(join(this.#folder, PREFIX)), original, signal)
    } catch (error) {
      throw orNoRoom(error)
    } finally {
      await rm(original, { force: true })
    }
  }

  async #cleanIn(folder: string, original: string, signal: AbortSignal | undefined): Promise<CleanFile> {
    const input = join(folder, 'original')
    try {
      await take(original, input)
      const output = join(folder, 'clean')
      const made = await this.#inTurn(() => this.#make(input, output, folder, signal), signal)
      signal?.throwIfAborted()
      const path = join(this.#folder, `${PREFIX}${folder.slice(-6)}.${made.extension}`)
      await rename(output, path)
      return {
        path,
        ...made,
        bytes: (await stat(path)).size,
        [Symbol.asyncDispose]: () => rm(path, { force: true }),
      }
    } finally {
      await rm(folder, { recursive: true, force: true, maxRetries: 3 })
    }
  }

  async #make(input: string, output: string, folder: string, signal: AbortSignal | undefined): Promise<Made> {
    const job = { input, output, folder, limits: this.#limits, signal }
    const answer = await this.#ask({ task: 'file', input, output, limits: this.#limits }, folder, signal)
    if ('next' in answer) {
      const { type, framesIn, isChained = false } = answer
      if (answer.next === 'ffmpeg') {
        const { ffmpeg } = this.tools
        if (!ffmpeg) throw toolMissing('sound and video', 'ffmpeg')
        return await cleanStreams(ffmpeg, {
          ...job,
          input: framesIn ?? input,
          type,
          container: acceptedAs(type).container ?? '',
          isChained,
        })
      }
      const { qpdf } = this.tools
      if (!qpdf) throw toolMissing('PDF files', 'qpdf 11 or later')
      const cleanObjects = async (from: string, to: string) => {
        await this.#ask(
          { task: 'pdf-objects', input: from, output: to, limits: this.#limits },
          folder,
          signal,
        )
      }
      await cleanPdf(qpdf, { ...job, cleanObjects })
      return { type, extension: 'pdf' }
    }
    if (!('extension' in answer)) throw tooComplex('the program that reads it gave no answer')
    return answer
  }

  async #ask(job: ChildJob, folder: string, signal: AbortSignal | undefined): Promise<ChildAnswer> {
    const { size } = await stat(job.input)
    const { timeoutMs, memoryBytes } = this.#limits
    // A lossless picture can become larger than it was.
    const writtenBytes = Math.max(size * 4, 512 * MIB)
    const bounds = { timeoutMs, memoryBytes, writtenBytes }
    return askChild<ChildAnswer>(CHILD, job, { folder, signal, bounds })
  }

  async #inTurn<Result>(work: () => Promise<Result>, signal: AbortSignal | undefined): Promise<Result> {
    signal?.throwIfAborted()
    if (this.#busy >= this.#atOnce) {
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      const onAbort = () => {
        const at = this.#waiting.indexOf(resolve)
        if (at < 0) return
        this.#waiting.splice(at, 1)
        reject(signal?.reason as Error)
      }
      this.#waiting.push(resolve)
      signal?.addEventListener('abort', onAbort, { once: true })
      try {
        await promise
      } finally {
        signal?.removeEventListener('abort', onAbort)
      }
    } else {
      this.#busy += 1
    }
    try {
      return await work()
    } finally {
      // The place goes to whoever has waited longest.
      const next = this.#waiting.shift()
      if (next) next()
      else this.#busy -= 1
    }
  }
}

async function take(original: string, to: string): Promise<void> {
  try {
    await rename(original, to)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw error
    await copyFile(original, to)
    await rm(original)
  }
}
