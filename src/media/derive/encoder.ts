import { join } from 'node:path'
import { runBounded } from '../clean/bounded.ts'
import { CAREFULLY, LOCAL, NO_NOTES } from '../clean/sound-and-video.ts'
import type { Ffmpeg } from '../clean/tools.ts'
import { notMade } from './problems.ts'

const MIB = 1024 * 1024

/** What works on one file may take. */
export interface WorkBounds {
  /** How long it may still take. */
  leftMs: () => number
  /** Writable memory of each of its processes. */
  memoryBytes: number
}

/** A sound or film that something is made of. */
export interface StreamSource {
  path: string
  /** ffmpeg's name of its container. */
  container: string
  bytes: number
  durationMs: number
}

export interface Encoding {
  /** What it becomes, for who reads why it did not. */
  what: string
  /** What stands before the source. */
  before?: readonly string[]
  /** Streams, codecs, filters; then the container. */
  args: readonly string[]
  /** In the folder. */
  file: string
}

/** Runs ffmpeg on one file in one folder, with bounds; what it writes says nothing of where and when that was. */
export class Encoder {
  readonly tools: Ffmpeg
  readonly folder: string
  readonly #bounds: WorkBounds
  readonly #signal: AbortSignal

  constructor(
    tools: Ffmpeg,
    { folder, bounds, signal }: { folder: string; bounds: WorkBounds; signal: AbortSignal },
  ) {
    this.tools = tools
    this.folder = folder
    this.#bounds = bounds
    this.#signal = signal
  }

  /** For who reads what is in a file. */
  get probing() {
    const { leftMs, memoryBytes } = this.#bounds
    const limits = { timeoutMs: Math.min(leftMs(), 60_000), memoryBytes }
    return { folder: this.folder, signal: this.#signal, limits }
  }

  path(file: string): string {
    return join(this.folder, file)
  }

  /**
   * @throws HyperactiveError `derive_failed` with what ffmpeg said, `media_too_complex` at a bound, `blob_disk_full`
   */
  async run({ path, container, bytes, durationMs }: StreamSource, encoding: Encoding): Promise<void> {
    const { what, before = [], args, file } = encoding
    const source = [...LOCAL, ...before, '-f', container, '-i', `file:${path}`]
    const { code, complaint } = await runBounded(
      this.tools.ffmpeg,
      [...CAREFULLY, ...source, ...NO_NOTES, '-threads', '2', ...args, '-y', `file:${this.path(file)}`],
      {
        folder: this.folder,
        signal: this.#signal,
        bounds: {
          timeoutMs: this.#bounds.leftMs(),
          memoryBytes: this.#bounds.memoryBytes,
          // A second takes half a megabyte at the highest rate that is asked for.
          writtenBytes: 64 * MIB + Math.max(bytes * 2, (durationMs / 1000) * MIB),
        },
      },
    )
    if (code !== 0) throw notMade(what, complaint, this.folder)
  }
}
