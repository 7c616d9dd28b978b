import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { HyperactiveError } from '../../errors.ts'
import type { MediaFile } from '../../ledger/media.ts'
import type { KnownFile } from '../../project/media.ts'
import type { BlobDriver } from '../blobs/driver.ts'
import { damaged, diskFull, ofFileSystem } from '../blobs/problems.ts'
import { askChild } from '../clean/asking.ts'
import { CLEAN_LIMITS } from '../clean/limits.ts'
import { tooComplex } from '../clean/problems.ts'
import type { Tools } from '../clean/tools.ts'
import type { ChildAnswer, ChildJob } from './child.ts'
import { Encoder } from './encoder.ts'
import type { StreamSource, WorkBounds } from './encoder.ts'
import { FRAME, makeFilms } from './films.ts'
import type { Made } from './made.ts'
import { isFull } from './problems.ts'
import { containerOf, sortOf } from './sorts.ts'
import { makeSounds, WAVE_SAMPLES } from './sounds.ts'

const MIB = 1024 * 1024
const PREFIX = 'derive-'
const CHILD = join(import.meta.dirname, 'child.ts')
const PICTURE_MS = 10 * 60_000
const MEMORY_BYTES = 1024 * MIB
/** Where the length of a sound or film is not known, bounds are for a long one. */
const UNKNOWN_MS = 4 * 60 * 60_000

export interface MakerOptions {
  blobs: Pick<BlobDriver, 'read' | 'write' | 'stat'>
  tools: Pick<Tools, 'ffmpeg'>
  /** Where files are worked on; made if missing. One maker has it for itself. */
  folder: string
  /** How long one file may take. */
  mostMs: number
}

/** Makes smaller pictures, and films and sound that browsers play, of files that are kept, and keeps those. */
export class Maker {
  readonly #options: MakerOptions

  private constructor(options: MakerOptions) {
    this.#options = options
  }

  /** Removes what an earlier one has left. */
  static async open(options: MakerOptions): Promise<Maker> {
    const { folder } = options
    await mkdir(folder, { recursive: true, mode: 0o700 })
    for (const name of await readdir(folder)) {
      if (name.startsWith(PREFIX))
        await rm(join(folder, name), { recursive: true, force: true, maxRetries: 3 })
    }
    return new Maker(options)
  }

  get ffmpeg() {
    return this.#options.tools.ffmpeg
  }

  /**
   * Makes what is to be made of a file, and keeps it.
   *
   * @param onKept told of each file as soon as it is kept
   * @returns the files as a media document names them; none where the file itself is all that there is to offer
   * @throws HyperactiveError `blob_missing`, `blob_damaged`, `blob_disk_full` and others of the store; `media_unreadable`,
   *   `media_too_complex`, `derive_failed`; or what `signal` was aborted with
   */
  async make(
    source: KnownFile,
    signal: AbortSignal,
    onKept: (sha256: string) => void = () => undefined,
  ): Promise<MediaFile[]> {
    const { folder: parent, blobs, mostMs } = this.#options
    const sort = sortOf(source)
    const timeMs = sort === 'picture' ? Math.min(PICTURE_MS, mostMs) : mostMs
    const endMs = performance.now() + timeMs
    const tooSlow = tooComplex(`making something of it takes longer than ${describeMs(timeMs)}`)
    using end = timer(timeMs, tooSlow)
    const both = AbortSignal.any([signal, end.signal])
    // A bit more, so that the reason that is told is the one above.
    const leftMs = () => Math.max(1, endMs - performance.now()) + 2000
    const folder = await mkdtemp(join(parent, PREFIX)).catch((error: unknown) => {
      throw ofFileSystem(parent, error)
    })
    try {
      const path = join(folder, 'source')
      await this.#fetch(source, path, both)
      const work = { folder, path, bounds: { leftMs, memoryBytes: MEMORY_BYTES }, signal: both }
      const made =
        sort === 'picture' ? await this.#pictures(source, work) : await this.#streams(source, sort, work)
      const kept: MediaFile[] = []
      for (const { file, ...about } of made) {
        const manifest = await blobs.write(createReadStream(join(folder, file)), { signal: both })
        onKept(manifest.sha256)
        kept.push({ ...manifest, ...about })
      }
      return kept
    } catch (error) {
      // Streams say no more than that they were aborted.
      both.throwIfAborted()
      throw isFull(error) ? diskFull(parent, error) : ofFileSystem(parent, error)
    } finally {
      await rm(folder, { recursive: true, force: true, maxRetries: 3 })
    }
  }

  /** Reads the file out of where it is kept, and compares it with its name on the way. */
  async #fetch({ sha256 }: KnownFile, to: string, signal: AbortSignal): Promise<void> {
    const { stream } = await this.#options.blobs.read(sha256)
    const hash = createHash('sha256')
    const counting = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        hash.update(chunk)
        done(null, chunk)
      },
    })
    await pipeline(stream, counting, createWriteStream(to, { flags: 'wx' }), { signal })
    if (hash.digest('hex') !== sha256) throw damaged(sha256, 'its bytes are not what its name says')
  }

  #pictures({ type }: KnownFile, { path, ...work }: Work): Promise<Made[]> {
    return this.#ask(
      { task: 'pictures', input: path, type, folder: work.folder, pixels: CLEAN_LIMITS.imagePixels },
      work,
    )
  }

  async #streams(
    { type, bytes, durationMs = UNKNOWN_MS }: KnownFile,
    sort: 'sound' | 'film' | undefined,
    { path, ...work }: Work,
  ): Promise<Made[]> {
    const { ffmpeg } = this.#options.tools
    if (!ffmpeg || !sort)
      throw new HyperactiveError('derive_failed', 'nothing can be made of such files here')
    const { folder } = work
    const encoder = new Encoder(ffmpeg, work)
    const source: StreamSource = { path, container: containerOf(type), bytes, durationMs }
    if (sort === 'sound') {
      const made = await makeSounds(encoder, source, type)
      return [
        ...made,
        ...(await this.#ask({ task: 'wave', input: encoder.path(WAVE_SAMPLES), folder }, work)),
      ]
    }
    const made = await makeFilms(encoder, source, type)
    const picture = {
      input: encoder.path(FRAME),
      type: 'image/png',
      folder,
      pixels: CLEAN_LIMITS.imagePixels,
    }
    return [...made, ...(await this.#ask({ task: 'posters', ...picture }, work))]
  }

  async #ask(job: ChildJob, { folder, bounds, signal }: Omit<Work, 'path'>): Promise<Made[]> {
    const { made } = await askChild<ChildAnswer>(CHILD, job, {
      folder,
      signal,
      bounds: { timeoutMs: bounds.leftMs(), memoryBytes: CLEAN_LIMITS.memoryBytes, writtenBytes: 512 * MIB },
    })
    return made
  }
}

interface Work {
  folder: string
  path: string
  bounds: WorkBounds
  signal: AbortSignal
}

/** Aborts with a reason after a time, unless it is disposed of before. */
function timer(ms: number, reason: Error): Disposable & { signal: AbortSignal } {
  const abort = new AbortController()
  const running = setTimeout(() => abort.abort(reason), ms)
  return { signal: abort.signal, [Symbol.dispose]: () => clearTimeout(running) }
}

function describeMs(ms: number): string {
  const minutes = ms / 60_000
  if (minutes < 1) return `${Math.round(ms / 1000)} seconds`
  return minutes < 120 ? `${Math.round(minutes)} minutes` : `${Math.round(minutes / 60)} hours`
}
