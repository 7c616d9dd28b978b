import { Readable } from 'node:stream'
import type { Router, RouterContext } from '@koa/router'
import { GatewayAnswer, readJson } from '../../gateway/answers.ts'
import type { Caller } from '../../gateway/callers.ts'
import type { SigningKey } from '../../ledger/keys.ts'
import { messageOf } from '../../errors.ts'
import { logger } from '../../log.ts'
import type { Rate } from '../rate.ts'
import type { Answers, Asker } from './answers.ts'
import type { CallingLine } from './calling-line.ts'
import { untilAborted } from './changes.ts'
import type { Changes } from './changes.ts'
import { askShape, BATCH_BYTES, exchangeShape } from './exchange.ts'
import type { Hello } from './exchange.ts'
import type { Holdings } from './holdings.ts'
import type { Intake } from './intake.ts'
import type { Ask } from './line.ts'
import type { Lines } from './lines.ts'
import { FILES_PATH, STATUS_HEADER, VIA_HEADER } from './paths.ts'
import { codeOf } from './problems.ts'
import { isSigned } from './statement.ts'

const log = logger('media')

const MOST_JSON_BYTES = 4 * 1024 * 1024
const RANGE = /^bytes=(\d{1,10})-$/

export interface ReceptionOptions {
  key: SigningKey
  run: string
  holdings: Holdings
  intake: Intake
  changes: Changes
  lines: Lines
  answers: Answers
  isMember: (key: string) => boolean
  /** Whether a time is too far from now to be one that was just written down. */
  isStale: (at: string) => boolean
  rateTo: (peer: string) => Rate
  onSent: (peer: string, bytes: number) => void
  signal: AbortSignal
}

/** Answers peers that call, at the gateway, which has let them in. */
export class Reception {
  readonly #options: ReceptionOptions
  /** A peer waits with one call at a time. */
  readonly #waiting = new Map<string, AbortController>()

  constructor(options: ReceptionOptions) {
    this.#options = options
  }

  /** Adds the routes to the gateway's. */
  mount(router: Router): void {
    router.post(`${FILES_PATH}/exchange`, async (ctx) => {
      ctx.body = await this.#exchange(peerOf(ctx), await readJson(ctx, MOST_JSON_BYTES), this.#signalOf(ctx))
    })
    router.post(`${FILES_PATH}/confirm`, async (ctx) => {
      const ask = askOf({ kind: 'confirm', ...(await readJson(ctx, MOST_JSON_BYTES)) })
      const asker = this.#askerOf(peerOf(ctx))
      // Which files there are is for members.
      if (ask.kind !== 'confirm' || !this.#isMember(asker)) throw forbidden()
      ctx.body = { answers: await this.#options.answers.confirm(ask, asker, this.#signalOf(ctx)) }
    })
    router.put(`${FILES_PATH}/asks/:number`, (ctx) => this.#take(ctx))
    router.get(`${FILES_PATH}/:sha256/:index`, (ctx) => this.#give(ctx))
  }

  /** Answers what a peer has asked when it was called, by calling it once more. */
  async answer(line: CallingLine, number: number, ask: Ask): Promise<void> {
    const { answers, rateTo, onSent, signal } = this.#options
    const path = `/asks/${number}`
    const rate = rateTo(line.peer)
    try {
      const bytes = await this.#answerTo(ask, line, answers)
      await line.put(path, { bytes, status: 200, rate }, signal)
      if (ask.kind !== 'piece') return
      onSent(line.peer, bytes.length)
      answers.free(bytes)
    } catch (error) {
      if (signal.aborted) return
      log.debug('a question of a peer cannot be answered', { peer: line.peer, reason: messageOf(error) })
      const status = codeOf(error) === 'peer_lacks' ? 404 : 503
      await line.put(path, { bytes: new Uint8Array(), status, rate }, signal).catch(() => undefined)
    }
  }

  async #answerTo(ask: Ask, { peer, key }: CallingLine, answers: Answers): Promise<Uint8Array> {
    const { signal } = this.#options
    if (ask.kind === 'piece') return answers.piece(ask, { peer, key }, signal)
    const all = this.#isMember({ peer, key }) ? await answers.confirm(ask, { key }, signal) : []
    return Buffer.from(JSON.stringify({ answers: all }))
  }

  async #exchange(peer: string, body: Record<string, unknown>, signal: AbortSignal): Promise<object> {
    const { key, run, holdings, intake, changes, lines } = this.#options
    const parsed = exchangeShape.safeParse(body)
    if (!parsed.success) throw new GatewayAnswer(400, 'bad_request', 'this is not what nodes say of files')
    const { hello, places, statements, signs, waitMs, got } = parsed.data
    if (hello) await this.#greet(peer, hello)
    const waiting = lines.heard(peer)
    const about = { node: key.publicKey, run }
    // Where files are is for members.
    if (!this.#isMember(this.#askerOf(peer))) {
      await untilAborted([signal], waitMs)
      return { ...about, places: [], statements: [], signs: [], asks: [] }
    }
    const problem = await intake.take(statements, signs)
    if (problem !== undefined) {
      log.warn('a peer passed on what is not true', { peer, problem })
      throw new GatewayAnswer(400, 'bad_request', problem)
    }
    const heard = parsed.data.run === run ? got : 0
    const turn = this.#turn(peer, signal)
    for (const untilMs = performance.now() + waitMs; ;) {
      using watch = changes.watch()
      const given = holdings.after(places, (node) => intake.isListenedTo(node), BATCH_BYTES)
      const asks = waiting?.asks(heard).slice(0, 100) ?? []
      const leftMs = untilMs - performance.now()
      if (given.statements.length + given.signs.length + asks.length > 0 || leftMs <= 0 || turn.aborted)
        return { ...about, places: intake.places(), ...given, asks }
      await untilAborted([turn, watch.told], leftMs)
    }
  }

  async #greet(peer: string, hello: Hello): Promise<void> {
    const { key, lines, isStale } = this.#options
    if (hello.to !== key.publicKey || isStale(hello.at) || !(await isSigned(hello))) return
    lines.show(peer, hello.node)
  }

  /** The answer of a peer to what it was asked when it called. */
  async #take(ctx: RouterContext): Promise<void> {
    const number = Number(ctx.params.number)
    const line = this.#options.lines.waiting(peerOf(ctx))
    const isWanted = line && (await line.take(number, Number(ctx.get(STATUS_HEADER)), ctx.req))
    if (!isWanted) {
      ctx.set('Connection', 'close')
      throw new GatewayAnswer(409, 'conflict', 'nobody waits for this')
    }
    ctx.body = { ok: true }
  }

  async #give(ctx: RouterContext): Promise<void> {
    const { answers, rateTo, onSent } = this.#options
    const peer = peerOf(ctx)
    const from = Number(RANGE.exec(ctx.get('range'))?.[1] ?? 0)
    const via = ctx.get(VIA_HEADER).split(',').filter(Boolean)
    const { sha256, index } = ctx.params
    const ask = askOf({ kind: 'piece', sha256, index: Number(index), from, via })
    if (ask.kind !== 'piece') throw forbidden()
    const bytes = await answers
      .piece(ask, this.#askerOf(peer), this.#signalOf(ctx))
      .catch((error: unknown) => {
        throw codeOf(error) === 'peer_lacks'
          ? new GatewayAnswer(404, 'not_found', 'this piece is not here')
          : error
      })
    ctx.status = from > 0 ? 206 : 200
    ctx.type = 'application/octet-stream'
    ctx.set('Cache-Control', 'no-store')
    const rate = rateTo(peer)
    const plain = Buffer.from(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.length)
    ctx.body = rate.isLimited ? Readable.from(paced(plain, rate)) : plain
    ctx.length = bytes.length
    // The system has all of it then. What a cut leaves is not used again.
    ctx.res.once('finish', () => answers.free(bytes))
    onSent(peer, bytes.length)
  }

  #askerOf(peer: string): Asker {
    return { peer, key: this.#options.lines.keyOf(peer) }
  }

  #isMember({ key }: Asker): boolean {
    return key !== undefined && this.#options.isMember(key)
  }

  /** Ends the call that the peer waits with already. */
  #turn(peer: string, signal: AbortSignal): AbortSignal {
    this.#waiting.get(peer)?.abort()
    const turn = new AbortController()
    this.#waiting.set(peer, turn)
    return AbortSignal.any([turn.signal, signal])
  }

  #signalOf(ctx: RouterContext): AbortSignal {
    const gone = new AbortController()
    ctx.res.once('close', () => gone.abort())
    return AbortSignal.any([gone.signal, this.#options.signal])
  }
}

async function* paced(bytes: Buffer, rate: Rate): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += rate.chunkBytes) {
    const chunk = bytes.subarray(at, at + rate.chunkBytes)
    await rate.took(chunk.length)
    yield chunk
  }
}

function peerOf(ctx: RouterContext): string {
  const { name, own } = ctx.state.caller as Caller
  // A node's own links carry documents alone.
  if (own) throw forbidden()
  return name
}

function askOf(value: unknown): Ask {
  const parsed = askShape.safeParse(value)
  if (parsed.success) return parsed.data
  throw new GatewayAnswer(400, 'bad_request', 'this cannot be asked for')
}

function forbidden(): GatewayAnswer {
  return new GatewayAnswer(403, 'forbidden', 'This is not for this caller.')
}
