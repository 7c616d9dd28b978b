import { setTimeout as pause } from 'node:timers/promises'
import { z } from 'zod'
import { messageOf } from '../../errors.ts'
import type { SigningKey } from '../../ledger/keys.ts'
import { logger } from '../../log.ts'
import { pauseBefore } from '../../replication/pause.ts'
import type { CallingLine } from './calling-line.ts'
import type { Changes } from './changes.ts'
import type { Holdings, Place } from './holdings.ts'
import type { Intake } from './intake.ts'
import type { Ask } from './line.ts'
import { MOST_CONFIRMED, MOST_VIA } from './paths.ts'
import { codeOf, wrongAnswer } from './problems.ts'
import { signed } from './statement.ts'

const log = logger('media')

/** About so much is passed on at once. */
export const BATCH_BYTES = 1024 * 1024
const MOST_PLACES = 2000
const MOST_PASSED_ON = 2000
/** Who says at once that there is nothing is asked again no faster than this. */
const SHORTEST_MS = 200

const text = z.string().max(100)
const position = z.int().min(-1)
const places = z.array(z.tuple([text, position, position, text])).max(MOST_PLACES)
const passedOn = z.array(z.unknown()).max(MOST_PASSED_ON)
const digest = z.string().regex(/^[0-9a-f]{64}$/)
const via = z.array(text).max(MOST_VIA)

const ask = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('piece'),
    sha256: digest,
    index: z.int().min(0).max(4095),
    from: z.int().min(0),
    via,
  }),
  z.strictObject({
    kind: z.literal('confirm'),
    files: z.array(digest).max(MOST_CONFIRMED),
    id: text,
    via,
  }),
])

/** What a peer is asked when it calls. */
export const askShape = ask

/** Shows that a caller holds the key that it names, to the node that it calls. */
const helloShape = z.strictObject({
  type: z.literal('holding-hello'),
  node: text,
  to: text,
  at: text,
  sig: text,
})

export type Hello = z.output<typeof helloShape>

/** What a node says when it calls. */
export const exchangeShape = z.object({
  hello: helloShape.optional(),
  places,
  statements: passedOn.default([]),
  signs: passedOn.default([]),
  waitMs: z.int().min(0).max(60_000).default(0),
  /** Which of the other's questions have come, in which of its runs. */
  run: text.optional(),
  got: z.int().min(0).default(0),
})

const answerShape = z.object({
  node: text,
  run: text,
  places,
  statements: passedOn,
  signs: passedOn,
  asks: z.array(z.object({ number: z.int().min(1), ask })).max(100),
})

export interface ExchangeOptions {
  line: CallingLine
  key: SigningKey
  now: () => string
  holdings: Holdings
  intake: Intake
  changes: Changes
  /** Whether the peer calls as well, and so hears of everything by itself. */
  isCalling: () => boolean
  /** Answers what the peer asks. */
  onAsk: (number: number, ask: Ask) => void
  /** Told when the peer answers, and when it does not. */
  onChange: () => void
  longestPauseMs: number
  waitMs: number
}

/** Keeps calling a peer: hears what it knows of files, tells what it does not know, and takes its questions along. */
export class Exchange {
  readonly #options: ExchangeOptions
  #theirs: readonly Place[] | undefined
  #run: string | undefined
  #got = 0

  constructor(options: ExchangeOptions) {
    this.#options = options
  }

  /** Goes on until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { line, onChange, longestPauseMs } = this.#options
    for (let failures = 0; !signal.aborted;) {
      const begun = performance.now()
      try {
        const isNews = await this.#once(signal)
        if (!line.isUp) {
          line.isUp = true
          line.health.answered()
          onChange()
        }
        failures = 0
        if (!isNews) await this.#pause(begun + SHORTEST_MS - performance.now(), signal)
      } catch (error) {
        if (signal.aborted) return
        this.#theirs = undefined
        if (line.isUp)
          log.info('a peer does not answer about files', { peer: line.peer, reason: messageOf(error) })
        line.isUp = false
        failures += 1
        if (codeOf(error) === 'peer_wrong_answer') line.health.lied(messageOf(error))
        else line.health.problem = messageOf(error)
        onChange()
        const pauseMs = line.health.isDistrusted ? line.health.pauseMs : pauseBefore(failures, longestPauseMs)
        await this.#pause(pauseMs, signal)
      }
    }
  }

  /** One call; gives whether anything came of it. */
  async #once(signal: AbortSignal): Promise<boolean> {
    const { line, holdings, intake, changes, isCalling, onAsk, waitMs } = this.#options
    using watch = changes.watch()
    const mine = intake.places()
    // Who calls this node hears of everything by itself.
    const given =
      this.#theirs && !isCalling()
        ? holdings.after(this.#theirs, (node) => intake.isListenedTo(node), BATCH_BYTES)
        : { statements: [], signs: [] }
    const isGiving = given.statements.length + given.signs.length > 0
    const waits = this.#theirs && !isGiving ? waitMs : 0
    const body = {
      places: mine,
      ...given,
      waitMs: waits,
      run: this.#run,
      got: this.#got,
      ...(line.key === undefined ? {} : { hello: this.#sayHello(line.key) }),
    }
    const answer = await this.#post(body, { waits, signal, told: watch.told })
    if (!answer) return true
    const isNew = this.#run !== answer.run
    const before = this.#theirs
    this.#meet(answer.node)
    this.#theirs = answer.places
    if (isNew) this.#got = 0
    this.#run = answer.run
    for (const { number, ask } of answer.asks) {
      if (number <= this.#got) continue
      this.#got = number
      onAsk(number, ask)
    }
    const problem = await intake.take(answer.statements, answer.signs)
    if (problem !== undefined) throw wrongAnswer(line.peer, problem)
    // A peer that says the same again and again gets no faster answers by that.
    const hasMoved =
      `${JSON.stringify(before)} ${JSON.stringify(mine)}` !==
      `${JSON.stringify(answer.places)} ${JSON.stringify(intake.places())}`
    return isNew || hasMoved || answer.asks.length > 0
  }

  /** Undefined when there is something to tell before the other has anything to say. */
  async #post(
    body: object,
    { waits, signal, told }: { waits: number; signal: AbortSignal; told: AbortSignal },
  ): Promise<z.output<typeof answerShape> | undefined> {
    const { line, isCalling } = this.#options
    const nudged = waits > 0 && !isCalling() ? [told] : []
    let given: unknown
    try {
      given = await line.post('/exchange', body, {
        signal: AbortSignal.any([signal, ...nudged]),
        waitMs: waits,
      })
    } catch (error) {
      if (!signal.aborted && nudged.some(({ aborted }) => aborted)) return undefined
      throw error
    }
    const parsed = answerShape.safeParse(given)
    if (parsed.success) return parsed.data
    const [issue] = parsed.error.issues
    throw wrongAnswer(line.peer, `${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`.trim())
  }

  #meet(node: string): void {
    const { line, key } = this.#options
    if (node === key.publicKey) throw wrongAnswer(line.peer, 'it is this node itself')
    if (line.expectedKey !== undefined && line.expectedKey !== node)
      throw wrongAnswer(line.peer, 'it has another key')
    line.key = node
  }

  #sayHello(to: string): Hello {
    const { key, now } = this.#options
    return signed({ type: 'holding-hello' as const, node: key.publicKey, to, at: now() }, key)
  }

  async #pause(ms: number, signal: AbortSignal): Promise<void> {
    await pause(Math.max(ms, 0), undefined, { signal }).catch(() => undefined)
  }
}
