import { execFile } from 'node:child_process'
import { pathToFileURL } from 'node:url'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { RequestInit, Response } from 'undici'
import type { CouchSpace } from '../helpers/couch-space.ts'
import { TestNode } from '../helpers/node.ts'

const CLOCK = pathToFileURL(join(import.meta.dirname, 'clock-skew.ts')).href
const run = promisify(execFile)
const PATIENCE_MS = 15_000
/** Nothing is expected of a node that is paused; what was sent may be worked on when it wakes. */
const PAUSED_PATIENCE_MS = 1000
/** LevelDB's files are larger than this as soon as something is written. */
const FULL_AT_BYTES = 16 * 1024

/** A real node that can be killed, paused, given a wrong clock and a full disk. */
export class FaultNode extends TestNode {
  readonly name: string
  readonly #space: CouchSpace | undefined
  #paused: number[] = []
  #skewMs = 0
  #diskFull = false
  /** Whether the disk was full at any time since the start, which may end a process. */
  #wasFull = false
  #wanted = false
  /** What its processes wrote before the one that runs now. */
  #earlier = ''

  /** @param space where its databases are; without it the node has a store of its own, also in the run on CouchDBs */
  constructor(name: string, folder: string, space?: CouchSpace) {
    super(folder, { HYPERACTIVE_ABUSE_LIMITS: 'off', ...(space?.environment ?? { COUCHDB_URL: '' }) })
    this.name = name
    this.#space = space
  }

  get isPaused(): boolean {
    return this.#paused.length > 0
  }

  get isSkewed(): boolean {
    return this.#skewMs !== 0
  }

  get isDiskFull(): boolean {
    return this.#diskFull
  }

  /** Whether the process has ended without being told to, and without a full disk for a reason. */
  get endedByItself(): boolean {
    return this.#wanted && !this.isRunning && !this.#wasFull
  }

  get allOutput(): string {
    return this.#earlier + this.output
  }

  override async start(): Promise<void> {
    this.#earlier += this.output
    this.#diskFull = false
    this.#wasFull = false
    await super.start()
    this.#wanted = true
  }

  override async stop(): Promise<void> {
    this.resume()
    this.#wanted = false
    await super.stop()
  }

  override async kill(): Promise<void> {
    this.#wanted = false
    const ended = super.kill()
    // A paused store has to run to see that nobody is left to serve.
    this.resume()
    await ended
  }

  override async remove(): Promise<void> {
    await this.kill()
    await this.#space?.remove()
  }

  override page(path: string, init: RequestInit = {}): Promise<Response> {
    const patienceMs = this.isPaused ? PAUSED_PATIENCE_MS : PATIENCE_MS
    return super.page(path, { signal: AbortSignal.timeout(patienceMs), ...init })
  }

  /** Stops the node and its store where they stand, as a virtual machine that is moved is stopped. */
  async pause(): Promise<void> {
    if (this.isPaused || !this.isRunning) return
    const processes = await this.#processes()
    this.#paused = processes
    for (const id of processes) signal(id, 'SIGSTOP')
  }

  resume(): void {
    for (const id of this.#paused.toReversed()) signal(id, 'SIGCONT')
    this.#paused = []
  }

  /** Kills the embedded store alone; a node on a CouchDB has none. */
  async killStore(): Promise<void> {
    const [, store] = await this.#processes()
    if (store !== undefined) signal(store, 'SIGKILL')
  }

  /** Starts the node again under another clock, so many milliseconds ahead of the right one. */
  async setClock(skewMs: number): Promise<void> {
    await this.stop()
    this.#skewMs = skewMs
    if (skewMs === 0) {
      delete this.environment.NODE_OPTIONS
    } else {
      this.environment.NODE_OPTIONS = `--import=${CLOCK}`
      this.environment.HYPERACTIVE_TEST_CLOCK_SKEW_MS = String(skewMs)
    }
    await this.start()
  }

  /**
   * No file of the node or its store may grow any more: the kernel refuses the write, in part or as a whole, where a
   * full disk would, with EFBIG in the place of ENOSPC. Unlike a small file system it needs no root and can be undone
   * while the process runs. A process that is started later inherits it from its parent.
   */
  async fillDisk(): Promise<void> {
    if (!this.isRunning) return
    this.#diskFull = true
    this.#wasFull = true
    await this.#limitFiles(String(FULL_AT_BYTES))
  }

  async freeDisk(): Promise<void> {
    if (!this.#diskFull) return
    this.#diskFull = false
    await this.#limitFiles('unlimited')
  }

  async #limitFiles(soft: string): Promise<void> {
    for (const id of await this.#processes()) {
      // A process that has ended meanwhile writes nothing.
      await run('prlimit', ['--pid', String(id), `--fsize=${soft}:`]).catch((error: unknown) => {
        if (!/No such process/.test(String(error))) throw error
      })
    }
  }

  /** The node's process, then its store's if it has one. */
  async #processes(): Promise<number[]> {
    if (!this.isRunning) return []
    if (this.#space) return [this.processId]
    try {
      const { nodeProcess, storeProcess } = await this.processes()
      return [nodeProcess, storeProcess]
    } catch {
      // Its store has ended and is not yet started again.
      return [this.processId]
    }
  }
}

function signal(processId: number, name: NodeJS.Signals): void {
  try {
    process.kill(processId, name)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
