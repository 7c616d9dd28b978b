import { createHash, randomBytes } from 'node:crypto'

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'
// 26 letters of five bits are 130: the first letter has three bits to itself. The version (7) and the variant (binary
// 10) of a UUIDv7 stand in bits 76 to 79 and 62 to 63, which show in the eleventh letter and in the fourteenth.
const PATTERN = /^[0-7][0-9a-hjkmnp-tv-z]{9}[ef][0-9a-hjkmnp-tv-z]{2}[89abrstv][0-9a-hjkmnp-tv-z]{12}$/

/** The `item` of documents about the network itself: admissions, evictions and profiles. */
export const NETWORK = 'network'

/** Whether `text` is an item's id: 26 characters of lower-case Crockford base32 holding a UUIDv7 (RFC 9562). */
export function isItemId(text: string): boolean {
  return PATTERN.test(text)
}

/**
 * Makes the id of a new item. The 62 bits that UUIDv7 calls `rand_b` are taken from a hash of the author's public
 * key, so the id itself says who may write the item's first edit: see {@link belongsTo} and decision record 0002.
 *
 * @param author the author's Ed25519 public key, base64url
 * @param timeMs milliseconds since 1970 that the id sorts by; dates before 1970 sort as 1970
 * @param salt decides `rand_a` (12 bits); random unless the same source must give the same id again
 */
export function makeItemId(author: string, timeMs: number, salt: Buffer = randomBytes(2)): string {
  const time = BigInt(Math.min(Math.max(Math.trunc(timeMs), 0), 2 ** 48 - 1))
  const head = (time << 16n) | 0x7000n | BigInt(salt.readUInt16BE(0) & 0xfff)
  return fromBits((head << 64n) | (2n << 62n) | authorBits(head, author))
}

/** Whether `author` is the key that `item` was made for. */
export function belongsTo(item: string, author: string): boolean {
  if (!isItemId(item)) return false
  const bits = toBits(item)
  return (bits & ((1n << 62n) - 1n)) === authorBits(bits >> 64n, author)
}

/** The time an item's id was made for, in milliseconds since 1970. */
export function itemTime(item: string): number {
  return Number(toBits(item) >> 80n)
}

function authorBits(head: bigint, author: string): bigint {
  const digest = createHash('sha256')
    .update(`hyperactive item ${head.toString(16)} ${author}`)
    .digest()
  return digest.readBigUInt64BE(0) >> 2n
}

function toBits(text: string): bigint {
  let bits = 0n
  for (const letter of text) bits = (bits << 5n) | BigInt(ALPHABET.indexOf(letter))
  return bits
}

function fromBits(bits: bigint): string {
  let text = ''
  for (let shift = 125n; shift >= 0n; shift -= 5n) text += ALPHABET[Number((bits >> shift) & 31n)]
  return text
}
