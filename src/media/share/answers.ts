import { setTimeout as pause } from 'node:timers/promises'
import { createHash } from 'node:crypto'
import { z } from 'zod'
import { messageOf } from '../../errors.ts'
import { isSha256 } from '../../ledger/manifest.ts'
import type { SigningKey } from '../../ledger/keys.ts'
import { logger } from '../../log.ts'
import type { BlobDriver } from '../blobs/driver.ts'
import type { ConfirmAsk, Line, PieceAsk } from './line.ts'
import type { Manifests } from './manifests.ts'
import { MOST_CONFIRMED, MOST_VIA } from './paths.ts'
import { codeOf, noAnswer, peerLacks } from './problems.ts'
import type { Keeper } from './rank.ts'
import type { Rooms } from './rooms.ts'
import { isSigned, signed } from './statement.ts'

const log = logger('media')

/** So many pieces are sent to one caller at once; more have to be asked for later. */
const MOST_PIECES_AT_ONCE = 6
/** A piece that was read before it was asked for is in memory for so long; one for each peer. */
const AHEAD_MS = 2000
/** So many pieces are passed on at once for nodes that cannot ask themselves. */
const MOST_RELAYED = 4
const CONFIRM_MS = 6000
/** A node that passes a question on gives up so much earlier than the one before it. */
const CONFIRM_STEP_MS = 1000
const MOST_ANSWERS_BYTES = 2 * 1024 * 1024
const MOST_QUESTIONS = 2000
const PROOF_BYTES = 16 * 1024

const answerShape = z.strictObject({
  type: z.literal('holding-answer'),
  node: z.string().max(100),
  /** The question's own name. */
  id: z.string().max(100),
  /** SHA-256 of the list that was asked about. */
  of: z.string().max(100),
  /** Places in that list. */
  holds: z.array(z.int().min(0)).max(MOST_CONFIRMED),
  /** Of each of them what only somebody can know who has its bytes: see `proofOf`. */
  proofs: z.array(z.string().max(64)).max(MOST_CONFIRMED),
  jurisdiction: z.string().max(40).optional(),
  keepsAll: z.boolean(),
  sig: z.string().max(100),
})

/** A node's word that it holds some of the files that it was asked about, at that moment. */
export type Answer = z.output<typeof answerShape>

export interface AnswersOptions {
  key: SigningKey
  about: Omit<Keeper, 'key'>
  driver: BlobDriver
  rooms: Rooms
  manifests: Manifests
  /** Whether a node may have a file: members have all, others what readers get. */
  mayHave: (key: string | undefined, sha256: string) => Promise<boolean>
  isMember: (key: string) => boolean
  /** Whether this node holds a file, as far as it knows. */
  holds: (sha256: string) => boolean
  lines: () => readonly Line[]
  /** Gets a piece from a peer for somebody who cannot ask it. */
  relay: (ask: PieceAsk, signal: AbortSignal) => Promise<Uint8Array>
  /** A file that is said to be here has other bytes, or is gone. */
  onDamaged: (sha256: string) => void
}

/** Who asks. */
export interface Asker {
  peer: string
  key: string | undefined
}

/** Answers what peers ask, however they came. */
export class Answers {
  readonly #options: AnswersOptions
  readonly #sending = new Map<string, number>()
  readonly #ahead = new Map<
    string,
    { sha256: string; index: number; bytes: Promise<Uint8Array | undefined> | undefined }
  >()
  readonly #questions = new Map<string, number>()
  #relayed = 0

  constructor(options: AnswersOptions) {
    this.#options = options
  }

  /**
   * The bytes of a piece, from where they are wanted; to be {@link free}d when they have been sent.
   *
   * @throws HyperactiveError `peer_lacks` where it is not here or not for the asker, `peer_no_answer` when too much is asked
   */
  async piece(ask: PieceAsk, asker: Asker, signal: AbortSignal): Promise<Uint8Array> {
    const { mayHave } = this.#options
    const { sha256, index, from } = ask
    const name = `piece ${index} of ${sha256}`
    if (!isSha256(sha256) || !(await mayHave(asker.key, sha256))) throw peerLacks('of this node', name)
    const sending = this.#sending.get(asker.peer) ?? 0
    if (sending >= MOST_PIECES_AT_ONCE) throw noAnswer('of this node', 'too much is asked at once')
    this.#sending.set(asker.peer, sending + 1)
    try {
      const bytes = (await this.#likelyPiece(ask, asker)) ?? (await this.#relay(ask, asker, signal))
      return from === 0 ? bytes : bytes.subarray(Math.min(from, bytes.length))
    } finally {
      const now = (this.#sending.get(asker.peer) ?? 1) - 1
      if (now > 0) this.#sending.set(asker.peer, now)
      else this.#sending.delete(asker.peer)
    }
  }

  /** A piece was sent, and nobody reads it any more. */
  free(bytes: Uint8Array): void {
    this.#options.rooms.free(bytes)
  }

  /** Which of these files are held, by this node and by those behind it. */
  async confirm(ask: ConfirmAsk, asker: Pick<Asker, 'key'>, signal: AbortSignal): Promise<Answer[]> {
    const { key, about, driver, holds, lines } = this.#options
    const { files, id, via } = ask
    if (!this.#isFirst(id)) return []
    // Passed on at once: what takes long here goes on beside it.
    const further = new Set([...via, asker.key])
    const others =
      via.length < MOST_VIA
        ? this.ask(
            { ...ask, via: [...via, key.publicKey] },
            lines().filter((line) => !further.has(line.key)),
            signal,
          )
        : Promise.resolve([])
    const holding: number[] = []
    const proofs: string[] = []
    for (const [place, sha256] of files.entries()) {
      if (signal.aborted) break
      const proof = holds(sha256) ? await proofOf(driver, sha256, id) : undefined
      if (proof === undefined) continue
      holding.push(place)
      proofs.push(proof)
    }
    const { keepsAll, jurisdiction } = about
    const own = signed(
      {
        type: 'holding-answer' as const,
        node: key.publicKey,
        id,
        of: listDigest(files),
        holds: holding,
        proofs,
        keepsAll,
        ...(jurisdiction === undefined ? {} : { jurisdiction }),
      },
      key,
    )
    return [own, ...(await others)]
  }

  /** Asks by these lines, and gives the answers that prove themselves, one of each node; who is late is left out. */
  async ask(ask: ConfirmAsk, lines: readonly Line[], signal: AbortSignal): Promise<Answer[]> {
    this.#isFirst(ask.id)
    const ms = CONFIRM_MS - CONFIRM_STEP_MS * ask.via.length
    const late = new AbortController()
    const bound = AbortSignal.any([late.signal, signal])
    const found = new Map<string, Answer>()
    const asked = lines.map(async (line) => {
      for (const answer of await answersOf(line, ask, bound)) {
        if (!(await this.#proves(answer, ask)))
          log.warn('a peer passed on a false answer', { peer: line.peer })
        else if (!found.has(answer.node)) found.set(answer.node, answer)
      }
    })
    const all = Promise.allSettled(asked)
    await Promise.race([all, pause(ms, undefined, { ref: false })])
    late.abort()
    return [...found.values()]
  }

  async #proves(answer: Answer, { id, files }: ConfirmAsk): Promise<boolean> {
    if (answer.id !== id || answer.of !== listDigest(files) || !this.#options.isMember(answer.node))
      return false
    return isSigned(answer)
  }

  /** The same for a caller that asks for one piece after the other: the next one is read while this one is on its way. */
  async #likelyPiece({ sha256, index }: PieceAsk, { peer }: Asker): Promise<Uint8Array | undefined> {
    const ahead = this.#ahead.get(peer)
    const isNext = ahead?.sha256 === sha256 && ahead.index === index
    // Nobody else gets the same memory.
    if (isNext) this.#ahead.delete(peer)
    const bytes = (isNext ? await ahead.bytes : undefined) ?? (await this.#ownPiece({ sha256, index }))
    const next = { sha256, index: index + 1 }
    const read = isNext ? this.#ownPiece(next).catch(() => undefined) : undefined
    const likely = { ...next, bytes: read }
    this.#ahead.set(peer, likely)
    setTimeout(() => {
      if (this.#ahead.get(peer) === likely) this.#ahead.delete(peer)
    }, AHEAD_MS).unref()
    return bytes
  }

  async #ownPiece({ sha256, index }: Pick<PieceAsk, 'sha256' | 'index'>): Promise<Uint8Array | undefined> {
    const { driver, rooms, manifests, holds, onDamaged } = this.#options
    const manifest = await manifests.of(sha256)
    if (!manifest || index >= manifest.pieces.length) return undefined
    try {
      return await driver.readPiece(manifest, index, (bytes) => rooms.take(bytes))
    } catch (error) {
      if (codeOf(error) === 'blob_damaged' || codeOf(error) === 'blob_missing') {
        if (holds(sha256)) onDamaged(sha256)
        return undefined
      }
      log.warn('a piece cannot be read', { code: codeOf(error), reason: messageOf(error) })
      throw noAnswer('of this node', 'it cannot be read now', error)
    }
  }

  async #relay(ask: PieceAsk, asker: Asker, signal: AbortSignal): Promise<Uint8Array> {
    const { key, relay } = this.#options
    const lacking = peerLacks('of this node', `piece ${ask.index} of ${ask.sha256}`)
    // The first in a row asks for itself; nodes that have seen the question are not asked again.
    if (ask.via.length === 0 || ask.via.length >= MOST_VIA || ask.via.includes(key.publicKey)) throw lacking
    if (this.#relayed >= MOST_RELAYED) throw noAnswer('of this node', 'too much is passed on')
    this.#relayed += 1
    try {
      const via = [...ask.via, ...(asker.key === undefined ? [] : [asker.key])]
      return await relay({ ...ask, from: 0, via: [...new Set(via)] }, signal)
    } finally {
      this.#relayed -= 1
    }
  }

  /** Whether a question is heard for the first time. */
  #isFirst(id: string): boolean {
    if (this.#questions.has(id)) return false
    this.#questions.set(id, performance.now())
    const [oldest] = this.#questions.keys()
    if (this.#questions.size > MOST_QUESTIONS && oldest !== undefined) this.#questions.delete(oldest)
    return true
  }
}

/**
 * The digest of a part of a file, together with the name of the question, which decides on the part: who knows it has these
 * bytes, or asks somebody at that moment who has them. Undefined where the file is not here.
 */
export async function proofOf(
  driver: Pick<BlobDriver, 'stat' | 'read'>,
  sha256: string,
  id: string,
): Promise<string | undefined> {
  try {
    const manifest = await driver.stat(sha256)
    if (!manifest) return undefined
    const hash = createHash('sha256').update(`${id} ${sha256}`)
    const first = hash.copy().digest().readUIntBE(0, 6) % Math.max(manifest.bytes - PROOF_BYTES, 1)
    const { stream } = await driver.read(sha256, { first, last: first + PROOF_BYTES - 1 })
    for await (const bytes of stream as AsyncIterable<Uint8Array>) hash.update(bytes)
    return hash.digest('hex')
  } catch {
    return undefined
  }
}

async function answersOf(line: Line, ask: ConfirmAsk, signal: AbortSignal): Promise<Answer[]> {
  if (!line.isUp) return []
  const parts: Uint8Array[] = []
  const onBytes = (bytes: Uint8Array) => void parts.push(Uint8Array.from(bytes))
  try {
    await line.ask(ask, { signal, mostBytes: MOST_ANSWERS_BYTES, onBytes })
    const { answers } = JSON.parse(Buffer.concat(parts).toString()) as { answers?: unknown }
    return z.array(answerShape).max(500).parse(answers)
  } catch (error) {
    if (!signal.aborted)
      log.debug('a question was not answered', { peer: line.peer, reason: messageOf(error) })
    return []
  }
}

function listDigest(files: readonly string[]): string {
  return createHash('sha256').update(files.join()).digest('hex')
}
