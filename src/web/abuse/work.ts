import { createHash } from 'node:crypto'

const NONCE = /^\d{1,16}$/

/**
 * Whether a nonce proves work on a token: SHA-256 of "<token>:<nonce>" begins with so many zero bits. Finding one takes
 * 2^bits hashes on average (Hashcash, Back 2002); checking it takes one.
 *
 * @param bits at most 32
 */
export function isWork(token: string, nonce: string, bits: number): boolean {
  if (token === '' || !NONCE.test(nonce)) return false
  const digest = createHash('sha256').update(`${token}:${nonce}`).digest()
  return Math.clz32(digest.readUInt32BE(0)) >= bits
}
