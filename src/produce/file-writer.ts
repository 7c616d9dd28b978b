import { Worker } from 'node:worker_threads'
import { HyperactiveError, messageOf } from '../errors.ts'

const MEMORY_MB = 32

/** One thing to do: to write bytes of the message, first into another file, or to say how large a file is. */
export interface FileTask {
  path: string
  half?: string
  from: number
  to: number
}

/** How it went. */
export interface FileAnswer {
  size?: number | undefined
  problem?: string
}

interface Waiting {
  task: FileTask
  bytes: Buffer | undefined
  answer: PromiseWithResolvers<FileAnswer>
}

/** Writes files in a thread of its own: a file is many short waits, and each costs more than what is waited for. */
class FileWriter {
  #worker: Worker | undefined
  #waiting: Waiting[] = []
  /** What the thread was told, message by message. */
  #told: Waiting[][] = []

  /** Writes a file whole, by renaming another one; folders are made. */
  async write(path: string, half: string, bytes: Buffer): Promise<void> {
    const { problem } = await this.#do({ path, half, from: 0, to: 0 }, bytes)
    if (problem !== undefined) throw new HyperactiveError('produce_unwritable', problem, { status: 500 })
  }

  /** How large a file is; undefined for none. */
  async sizeOf(path: string): Promise<number | undefined> {
    return (await this.#do({ path, from: 0, to: 0 })).size
  }

  #do(task: FileTask, bytes?: Buffer): Promise<FileAnswer> {
    const answer = Promise.withResolvers<FileAnswer>()
    if (this.#waiting.length === 0) setImmediate(() => this.#tell())
    this.#waiting.push({ task, bytes, answer })
    return answer.promise
  }

  /** What has come together in one turn of the event loop goes in one message. */
  #tell(): void {
    const waiting = this.#waiting
    this.#waiting = []
    const all = new Uint8Array(waiting.reduce((sum, { bytes }) => sum + (bytes?.length ?? 0), 0))
    let at = 0
    for (const { task, bytes } of waiting) {
      if (bytes) all.set(bytes, at)
      task.from = at
      at += bytes?.length ?? 0
      task.to = at
    }
    this.#told.push(waiting)
    const worker = (this.#worker ??= this.#started())
    worker.ref()
    worker.postMessage({ tasks: waiting.map(({ task }) => task), bytes: all }, [all.buffer])
  }

  #started(): Worker {
    const worker = new Worker(new URL('file-writer-thread.ts', import.meta.url), {
      env: {},
      resourceLimits: { maxOldGenerationSizeMb: MEMORY_MB, maxYoungGenerationSizeMb: 8 },
    })
    worker.on('message', (answers: FileAnswer[]) => {
      const waiting = this.#told.shift() ?? []
      for (const [index, { answer }] of waiting.entries()) answer.resolve(answers[index] ?? {})
      // It keeps no process alive that waits for nothing of it.
      if (this.#told.length === 0) worker.unref()
    })
    const fail = (problem: string) => {
      if (this.#worker !== worker) return
      this.#worker = undefined
      const told = this.#told.flat()
      this.#told = []
      for (const { answer } of told) answer.resolve({ problem })
    }
    worker.on('error', (error) => fail(messageOf(error)))
    worker.on('exit', () => fail('the thread that writes files ended'))
    return worker
  }
}

/** The one of this process. */
export const fileWriter = new FileWriter()
