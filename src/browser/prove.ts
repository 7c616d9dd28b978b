/**
 * Looks for a nonce so that SHA-256 (FIPS 180-4) of "<token>:<nonce>" begins with so many zero bits. It runs as a worker
 * beside the page. The hashes are computed here one after the other: asking the browser's own, which answers later,
 * takes several times as long for texts as short as these.
 */

const K = new Int32Array([
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98,
  0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
  0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8,
  0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
  0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819,
  0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
  0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
  0xc67178f2,
])
const START = [0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19]
const words = new Int32Array(64)

addEventListener('message', ({ data }: MessageEvent<{ token: string; bits: number }>) => {
  postMessage(prove(data.token, data.bits))
})

/** Gives the nonce in decimal digits. */
function prove(token: string, bits: number): string {
  const prefix = new TextEncoder().encode(`${token}:`)
  const whole = prefix.length - (prefix.length % 64)
  const rest = prefix.subarray(whole)
  // What the whole blocks make of the state is the same for every nonce.
  const before = new Int32Array(START)
  for (let at = 0; at < whole; at += 64) compress(before, prefix, at)
  const state = new Int32Array(8)
  const tail = new Uint8Array(128)
  for (let nonce = 0; ; nonce += 1) {
    const digits = String(nonce)
    const end = pad(tail, rest, digits, whole)
    state.set(before)
    for (let at = 0; at < end; at += 64) compress(state, tail, at)
    if (Math.clz32(state[0] ?? 0) >= bits) return digits
  }
}

/**
 * What follows the whole blocks, with the padding: one bit, zeroes, and the length of everything in bits.
 *
 * @returns how many bytes it is
 */
function pad(tail: Uint8Array, rest: Uint8Array, digits: string, whole: number): number {
  const length = rest.length + digits.length
  const size = length + 9 <= 64 ? 64 : 128
  tail.fill(0)
  tail.set(rest)
  for (let at = 0; at < digits.length; at += 1) tail[rest.length + at] = digits.charCodeAt(at)
  tail[length] = 0x80
  const lengthBits = (whole + length) * 8
  tail[size - 2] = lengthBits >>> 8
  tail[size - 1] = lengthBits
  return size
}

/** Takes the block of 64 bytes that begins at `from` into the state. */
function compress(state: Int32Array, bytes: Uint8Array, from: number): void {
  const w = words
  for (let at = 0; at < 16; at += 1) {
    const byte = from + at * 4
    const high = (byteAt(bytes, byte) << 24) | (byteAt(bytes, byte + 1) << 16)
    w[at] = high | (byteAt(bytes, byte + 2) << 8) | byteAt(bytes, byte + 3)
  }
  for (let at = 16; at < 64; at += 1) {
    const x = word(w, at - 15)
    const y = word(w, at - 2)
    const s0 = rotate(x, 7) ^ rotate(x, 18) ^ (x >>> 3)
    const s1 = rotate(y, 17) ^ rotate(y, 19) ^ (y >>> 10)
    w[at] = (word(w, at - 16) + s0 + word(w, at - 7) + s1) | 0
  }
  let a = word(state, 0)
  let b = word(state, 1)
  let c = word(state, 2)
  let d = word(state, 3)
  let e = word(state, 4)
  let f = word(state, 5)
  let g = word(state, 6)
  let h = word(state, 7)
  for (let at = 0; at < 64; at += 1) {
    const s1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + word(K, at) + word(w, at)) | 0
    const s0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0
    h = g
    g = f
    f = e
    e = (d + t1) | 0
    d = c
    c = b
    b = a
    a = (t1 + t2) | 0
  }
  state[0] = word(state, 0) + a
  state[1] = word(state, 1) + b
  state[2] = word(state, 2) + c
  state[3] = word(state, 3) + d
  state[4] = word(state, 4) + e
  state[5] = word(state, 5) + f
  state[6] = word(state, 6) + g
  state[7] = word(state, 7) + h
}

function rotate(x: number, by: number): number {
  return (x >>> by) | (x << (32 - by))
}

function word(values: Int32Array, at: number): number {
  return values[at] as number
}

function byteAt(bytes: Uint8Array, at: number): number {
  return bytes[at] as number
}
