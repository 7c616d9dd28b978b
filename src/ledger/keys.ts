import {
  createPrivateKey,
  createPublicKey,
  hkdfSync,
  randomBytes,
  sign as signBytes,
  verify as verifyBytes,
} from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { existsSync } from 'node:fs'
import { chmod, mkdir, readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { HyperactiveError } from '../errors.ts'
import { createFile } from '../files.ts'

// DER wrappings of a bare Ed25519 seed and public key (RFC 8410).
const PRIVATE_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex')
const PUBLIC_PREFIX = Buffer.from('302a300506032b6570032100', 'hex')
const SEED_BYTES = 32
const BASE64URL_32_BYTES = /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/

/** An Ed25519 key that can sign; `publicKey` is its public half, base64url (43 characters). */
export interface SigningKey {
  readonly publicKey: string
  /** Signs bytes and gives the signature, base64url. */
  sign(bytes: Buffer): string
  /** A 32-byte secret for one purpose, which only the holder of this key can make again (HKDF-SHA256). */
  derive(purpose: string): Buffer
}

/** Whether `text` is 32 bytes in canonical base64url without padding: a public key, a seed or an edit link's secret. */
export function isKeyText(text: string): boolean {
  return BASE64URL_32_BYTES.test(text)
}

/** The signing key that grows from a 32-byte seed. */
export function keyFromSeed(seed: Buffer): SigningKey {
  if (seed.length !== SEED_BYTES)
    throw new HyperactiveError('bad_key', 'a signing key needs a seed of 32 bytes')
  const key = createPrivateKey({ key: Buffer.concat([PRIVATE_PREFIX, seed]), format: 'der', type: 'pkcs8' })
  const der = createPublicKey(key).export({ format: 'der', type: 'spki' })
  return {
    publicKey: der.subarray(PUBLIC_PREFIX.length).toString('base64url'),
    sign: (bytes) => signBytes(null, bytes, key).toString('base64url'),
    derive: (purpose) => Buffer.from(hkdfSync('sha256', seed, Buffer.alloc(0), purpose, SEED_BYTES)),
  }
}

/** The signing key behind an edit link's secret, or undefined when the text cannot be one. */
export function keyFromSecret(secret: string): SigningKey | undefined {
  return isKeyText(secret) ? keyFromSeed(Buffer.from(secret, 'base64url')) : undefined
}

/**
 * Reads the node's key from `path`, making it at the first start. The file holds the seed as base64url and is
 * readable by its owner alone (mode 600).
 *
 * @throws HyperactiveError `bad_key_file` when the file does not hold a seed
 */
export async function loadNodeKey(path: string): Promise<SigningKey> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  if (!existsSync(path)) await createFile(path, `${randomBytes(SEED_BYTES).toString('base64url')}\n`, 0o600)
  const text = (await readFile(path, 'utf8')).trim()
  const key = keyFromSecret(text)
  if (!key) {
    throw new HyperactiveError(
      'bad_key_file',
      `${path} does not hold a node's key; restore it from a backup, or move it away to start as a new node`,
    )
  }
  await chmod(path, 0o600)
  return key
}

/** Whether `signature` (base64url) over `bytes` is `publicKey`'s. The work is done on the thread pool. */
export function verifySignature(bytes: Buffer, publicKey: string, signature: string): Promise<boolean> {
  const raw = Buffer.from(signature, 'base64url')
  if (!isKeyText(publicKey) || raw.length !== 64 || raw.toString('base64url') !== signature)
    return Promise.resolve(false)
  return new Promise((resolve) => {
    verifyBytes(null, bytes, keyObjectOf(publicKey), raw, (error, valid) => resolve(!error && valid))
  })
}

// Nodes' keys come again and again; most authors' keys once.
const KEYS_KEPT = 500
const keyObjects = new Map<string, KeyObject>()

function keyObjectOf(publicKey: string): KeyObject {
  let key = keyObjects.get(publicKey)
  if (key) keyObjects.delete(publicKey)
  else key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: publicKey }, format: 'jwk' })
  keyObjects.set(publicKey, key)
  const [oldest] = keyObjects.keys()
  if (keyObjects.size > KEYS_KEPT && oldest !== undefined) keyObjects.delete(oldest)
  return key
}
