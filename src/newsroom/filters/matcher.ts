import { Worker } from 'node:worker_threads'
import { HyperactiveError } from '../../errors.ts'
import type { Pattern } from './filter.ts'
import type { Texts } from './texts.ts'

const MEMORY_MB = 128
const LONGEST_MS = 30_000

/** A pattern with the indexes of the texts that it is to look at. */
export interface Look {
  pattern: Pattern
  at: readonly number[]
}

export interface MatchTask {
  looks: readonly Look[]
  texts: readonly Texts[]
}

/** For each look the indexes of the texts that match, or what is wrong. */
export type MatchAnswer = { hits: number[][] } | { code: string; message: string }

/**
 * Looks at texts in a thread of its own, so that no pattern holds up the node. One task runs at a time; a thread that
 * takes too long is ended, and the next task has a new one.
 */
export class Matcher implements AsyncDisposable {
  #worker: Worker | undefined
  #last: Promise<unknown> = Promise.resolve()
  #isDisposed = false

  /**
   * @returns for each look the indexes of the texts that match
   * @throws HyperactiveError `filter_too_slow` after `timeoutMs`; those of `compile` in pattern.ts
   */
  match(task: MatchTask, timeoutMs = LONGEST_MS): Promise<number[][]> {
    const next = this.#last.then(() => this.#run(task, timeoutMs))
    this.#last = next.catch(() => undefined)
    return next
  }

  /**
   * The same where one pattern may be too slow on one of the texts: that pair alone is left out.
   *
   * @param leftOut is told why
   */
  async matchEach(
    task: MatchTask,
    leftOut: (error: HyperactiveError) => void,
    timeoutMs = LONGEST_MS,
  ): Promise<number[][]> {
    try {
      return await this.match(task, timeoutMs)
    } catch (error) {
      if (this.#isDisposed || !(error instanceof HyperactiveError)) throw error
    }
    const found: number[][] = []
    for (const { pattern, at } of task.looks) {
      const matching: number[] = []
      for (const index of at) {
        const one = { looks: [{ pattern, at: [0] }], texts: task.texts.slice(index, index + 1) }
        try {
          const [hits = []] = await this.match(one, timeoutMs)
          if (hits.length > 0) matching.push(index)
        } catch (error) {
          if (this.#isDisposed || !(error instanceof HyperactiveError)) throw error
          leftOut(error)
        }
      }
      found.push(matching)
    }
    return found
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isDisposed = true
    await this.#end()
  }

  async #end(): Promise<void> {
    const worker = this.#worker
    this.#worker = undefined
    await worker?.terminate()
  }

  async #run(task: MatchTask, timeoutMs: number): Promise<number[][]> {
    if (task.texts.length === 0) return task.looks.map(() => [])
    const worker = this.#started()
    const { promise, resolve, reject } = Promise.withResolvers<MatchAnswer>()
    const tooSlow = () =>
      reject(new HyperactiveError('filter_too_slow', 'looking at the texts takes too long', { status: 422 }))
    const timer = setTimeout(tooSlow, timeoutMs)
    worker.once('message', resolve)
    // Out of memory, or it was ended.
    worker.once('error', tooSlow)
    worker.once('exit', tooSlow)
    try {
      worker.postMessage(task, [])
      const answer = await promise
      if ('hits' in answer) return answer.hits
      throw new HyperactiveError(answer.code, answer.message, { status: 422 })
    } catch (error) {
      if (error instanceof HyperactiveError && error.code === 'filter_too_slow') await this.#end()
      throw error
    } finally {
      clearTimeout(timer)
      worker.off('message', resolve).off('error', tooSlow).off('exit', tooSlow)
    }
  }

  #started(): Worker {
    if (this.#worker) return this.#worker
    const worker = new Worker(new URL('match-worker.ts', import.meta.url), {
      env: {},
      resourceLimits: { maxOldGenerationSizeMb: MEMORY_MB, maxYoungGenerationSizeMb: 16 },
    })
    // A task that it ends in the middle of is told by its own listeners; the next task has another one.
    const forget = () => {
      if (this.#worker === worker) this.#worker = undefined
    }
    worker.on('error', forget).on('exit', forget)
    // It does not keep a node alive that ends.
    worker.unref()
    this.#worker = worker
    return worker
  }
}
