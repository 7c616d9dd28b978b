import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { SigningKey } from '../ledger/keys.ts'

const VALID_MS = 24 * 60 * 60 * 1000
const TOKEN = /^([0-9a-z]{8,9})\.([A-Za-z0-9_-]{22})\.([A-Za-z0-9_-]{43})$/

/**
 * Tokens that a form carries: they show that this node gave the form out, not long ago and for this purpose. They are
 * bound to nobody, because readers have no sessions.
 */
export class FormTokens {
  readonly #secret: Buffer
  readonly #authors: Buffer

  constructor(nodeKey: SigningKey) {
    this.#secret = nodeKey.derive('form tokens')
    this.#authors = nodeKey.derive('authors of forms')
  }

  issue(purpose: string, nowMs = Date.now()): string {
    const stamp = `${nowMs.toString(36)}.${randomBytes(16).toString('base64url')}`
    return `${stamp}.${this.#mac(`${stamp} ${purpose}`).toString('base64url')}`
  }

  /** Whether a token is this node's, for this purpose and not older than a day. */
  isValid(token: string, purpose: string, nowMs = Date.now()): boolean {
    const [, time, random, mac] = TOKEN.exec(token) ?? []
    if (!time || !random || !mac) return false
    const wanted = this.#mac(`${time}.${random} ${purpose}`)
    const given = Buffer.from(mac, 'base64url')
    if (given.length !== wanted.length || !timingSafeEqual(new Uint8Array(given), new Uint8Array(wanted)))
      return false
    const ageMs = nowMs - Number.parseInt(time, 36)
    return ageMs >= -60_000 && ageMs <= VALID_MS
  }

  /** When the form was given out, in milliseconds since 1970. */
  issuedAt(token: string): number {
    return Number.parseInt(token.split('.')[0] ?? '', 36)
  }

  /**
   * The author's secret for what a form publishes. It follows from the token, so that a form which is sent twice
   * makes one item.
   */
  authorSecret(token: string): Buffer {
    return createHmac('sha256', new Uint8Array(this.#authors)).update(token).digest()
  }

  #mac(text: string): Buffer {
    return createHmac('sha256', new Uint8Array(this.#secret)).update(text).digest()
  }
}
