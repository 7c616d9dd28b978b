import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { isoCBOR } from '@simplewebauthn/server/helpers'

type CborMap = Map<string | number, unknown>

/** What a node asks a browser for. */
export interface Asked {
  challenge: string
  rp?: { id: string }
  rpId?: string
  allowCredentials?: { id: string }[]
  excludeCredentials?: { id: string }[]
}

const PRESENT = 0x01
const HAS_KEY = 0x40

/** A security key and the browser before it, as far as a node sees them (WebAuthn, 6.1 and 6.5). */
export class Authenticator {
  readonly id: string
  readonly origin: string
  /** How often it has signed; one that does not count says 0. */
  signed = 0
  readonly #key: KeyObject
  readonly #cose: CborMap

  constructor(origin: string, idBytes = 32) {
    this.origin = origin
    this.id = randomBytes(idBytes).toString('base64url')
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const { x = '', y = '' } = publicKey.export({ format: 'jwk' })
    this.#key = privateKey
    this.#cose = new Map<number, unknown>([
      [1, 2],
      [3, -7],
      [-1, 1],
      [-2, bytes(x)],
      [-3, bytes(y)],
    ])
  }

  /** Makes its passkey: the answer to a registration. */
  register(asked: Asked, attestation: 'itself' | [string, CborMap] = ['none', new Map()]): string {
    const id = bytes(this.id)
    const length = new Uint8Array([id.length >> 8, id.length & 0xff])
    const key = [new Uint8Array(16), length, id, isoCBOR.encode(this.#cose as never)]
    const authData = new Uint8Array(
      Buffer.concat([this.#data(asked.rp?.id ?? '', PRESENT | HAS_KEY), ...key]),
    )
    const clientDataJSON = this.#client('webauthn.create', asked.challenge)
    const vouched = () =>
      new Map<string, unknown>([
        ['alg', -7],
        ['sig', new Uint8Array(this.#sign(authData, clientDataJSON))],
      ])
    const [fmt, attStmt] = attestation === 'itself' ? ['packed', vouched()] : attestation
    const object = new Map<string, unknown>([
      ['fmt', fmt],
      ['attStmt', attStmt],
      ['authData', authData],
    ])
    return this.#answer({
      clientDataJSON,
      attestationObject: Buffer.from(isoCBOR.encode(object as never)).toString('base64url'),
      transports: ['usb', 'Not One'],
    })
  }

  /** Signs a challenge: the answer when signing in. */
  use(asked: Asked, id = this.id): string {
    const authData = this.#data(asked.rpId ?? '', PRESENT)
    const clientDataJSON = this.#client('webauthn.get', asked.challenge)
    const signature = this.#sign(authData, clientDataJSON)
    const authenticatorData = Buffer.from(authData).toString('base64url')
    return this.#answer({ clientDataJSON, authenticatorData, signature: signature.toString('base64url') }, id)
  }

  #sign(authData: Uint8Array, clientDataJSON: string): Buffer {
    const hash = createHash('sha256').update(Buffer.from(clientDataJSON, 'base64url')).digest()
    return sign('sha256', new Uint8Array(Buffer.concat([authData, new Uint8Array(hash)])), this.#key)
  }

  #data(rpId: string, flags: number): Uint8Array {
    const count = Buffer.alloc(5)
    count.writeUInt8(flags, 0)
    count.writeUInt32BE(this.signed, 1)
    const hash = createHash('sha256').update(rpId).digest()
    return new Uint8Array(Buffer.concat([new Uint8Array(hash), new Uint8Array(count)]))
  }

  #client(type: string, challenge: string): string {
    const data = { type, challenge, origin: this.origin, crossOrigin: false }
    return Buffer.from(JSON.stringify(data)).toString('base64url')
  }

  #answer(response: object, id = this.id): string {
    return JSON.stringify({ id, rawId: id, type: 'public-key', clientExtensionResults: {}, response })
  }
}

function bytes(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.from(text, 'base64url'))
}
