import { createHash, timingSafeEqual } from 'node:crypto'

/** The header by which a link of a node says whether this gateway is the `source` or the `target` of its replication. */
export const ROLE_HEADER = 'hyperactive-role'

/** The header by which a link tells how often it was to start from zero, by `peer resync`. */
export const RESYNC_HEADER = 'hyperactive-resync'

/** Who stands at the door. */
export interface Caller {
  /** The peer: for its own requests, and for this node's job that pulls from it. */
  readonly name: string
  /** Whether it is this node's own job. */
  readonly own: boolean
}

/** Tells who a name and password belong to. */
export interface Callers {
  authenticate(username: string, password: string): Caller | undefined
}

/** The SHA-256 of a password, hex. Passwords here are random and long, so that a plain hash keeps them. */
export function hashPassword(password: string): string {
  return createHash('sha256').update(password).digest('hex')
}

/** Whether a password has this SHA-256 (hex), in constant time. */
export function passwordMatches(password: string, hash: string): boolean {
  const given = new Uint8Array(createHash('sha256').update(password).digest())
  const wanted = new Uint8Array(Buffer.from(hash, 'hex'))
  return given.length === wanted.length && timingSafeEqual(given, wanted)
}

/** Name and password of an `Authorization: Basic` header (RFC 7617), or undefined. */
export function parseBasic(header: string): { username: string; password: string } | undefined {
  const encoded = /^Basic ([A-Za-z0-9+/=]+)$/i.exec(header)?.[1]
  if (encoded === undefined) return undefined
  const text = Buffer.from(encoded, 'base64').toString('utf8')
  const colon = text.indexOf(':')
  return colon === -1 ? undefined : { username: text.slice(0, colon), password: text.slice(colon + 1) }
}
