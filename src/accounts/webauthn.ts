import type { AuthenticationResponseJSON, RegistrationResponseJSON } from '@simplewebauthn/server'
import { z } from 'zod'
import { isStorable } from './passkeys.ts'
import type { NewPasskey, Passkey } from './passkeys.ts'

/** Where a passkey is made and used. */
export interface Relying {
  /** The site's name, which browsers show. */
  name: string
  rpId: string
  origin: string
}

const TIMEOUT_MS = 5 * 60_000
/** EdDSA, ES256, RS256 (COSE): what devices have, with keys of a bounded size. */
const ALGORITHMS = [-8, -7, -257]

/** Loaded when it is first needed: it takes 25 MB and most of a second, and most nodes' people never meet it. */
const library = () => import('@simplewebauthn/server')
const helpers = () => import('@simplewebauthn/server/helpers')

/**
 * What the browser needs to make a passkey. The device is asked for none that can be found without the account: whoever
 * takes a security key away does not read from it where it is used.
 */
export async function registrationOptions(
  { name, rpId }: Relying,
  { id, handle, passkeys, challenge }: { id: string; handle: string; passkeys: Passkey[]; challenge: string },
): Promise<object> {
  const { generateRegistrationOptions } = await library()
  return generateRegistrationOptions({
    rpName: name,
    rpID: rpId,
    userName: handle,
    userID: bytes(id, 'utf8'),
    challenge: bytes(challenge),
    timeout: TIMEOUT_MS,
    attestationType: 'none',
    excludeCredentials: passkeys.map(({ id, transports }) => ({ id, transports })),
    authenticatorSelection: { residentKey: 'discouraged', userVerification: 'preferred' },
    supportedAlgorithmIDs: ALGORITHMS,
  })
}

/** What the browser needs to sign in with one of these passkeys. */
export async function authenticationOptions(
  { rpId }: Relying,
  { passkeys, challenge }: { passkeys: readonly Passkey[]; challenge: string },
): Promise<object> {
  const { generateAuthenticationOptions } = await library()
  return generateAuthenticationOptions({
    rpID: rpId,
    challenge: bytes(challenge),
    timeout: TIMEOUT_MS,
    allowCredentials: passkeys.map(({ id, transports }) => ({ id, transports })),
    userVerification: 'preferred',
  })
}

/**
 * The passkey that a browser has made, or undefined for anything that is no right answer to the challenge.
 *
 * @param answer the browser's `RegistrationResponseJSON`, as text
 */
export async function registeredPasskey(
  { rpId, origin }: Relying,
  { answer, challenge, label }: { answer: string; challenge: string | undefined; label: string },
): Promise<NewPasskey | undefined> {
  const response = parse(registration, answer)
  if (!response || challenge === undefined) return undefined
  const { verifyRegistrationResponse } = await library()
  try {
    if (!(await isAnonymous(response.response.attestationObject))) return undefined
    const { registrationInfo } = await verifyRegistrationResponse({
      response: response as RegistrationResponseJSON,
      expectedChallenge: challenge,
      expectedOrigin: origin,
      expectedRPID: rpId,
      requireUserVerification: false,
      supportedAlgorithmIDs: ALGORITHMS,
    })
    if (!registrationInfo) return undefined
    const { id, publicKey, counter } = registrationInfo.credential
    const transports = (response.response.transports ?? []).filter((name) => /^[a-z-]{1,20}$/.test(name))
    const passkey = {
      id,
      publicKey: Buffer.from(publicKey).toString('base64url'),
      rpId,
      transports: transports.slice(0, 8),
      label,
      signed: counter,
    }
    return isStorable(passkey) ? passkey : undefined
  } catch {
    // The library throws for whatever is wrong with an answer, which anybody can send.
    return undefined
  }
}

/**
 * Checks what a passkey has signed.
 *
 * @param answer the browser's `AuthenticationResponseJSON`, as text
 * @returns the passkey, and how often its device says that it has signed; undefined for a wrong answer, and for a device
 *   that counts and has not counted on
 */
export async function usedPasskey(
  { rpId, origin }: Relying,
  {
    answer,
    challenge,
    passkeys,
  }: { answer: string; challenge: string | undefined; passkeys: readonly Passkey[] },
): Promise<{ id: string; signed: number } | undefined> {
  const response = parse(authentication, answer)
  const passkey = passkeys.find(({ id }) => id === response?.id)
  if (!response || !passkey || challenge === undefined) return undefined
  const { verifyAuthenticationResponse } = await library()
  try {
    const { verified, authenticationInfo } = await verifyAuthenticationResponse({
      response: response as AuthenticationResponseJSON,
      expectedChallenge: challenge,
      expectedOrigin: origin,
      expectedRPID: rpId,
      requireUserVerification: false,
      credential: { id: passkey.id, publicKey: bytes(passkey.publicKey), counter: passkey.signed },
    })
    return verified ? { id: passkey.id, signed: authenticationInfo.newCounter } : undefined
  } catch {
    return undefined
  }
}

/**
 * Whether an answer says nothing of who made the device. None was asked for, so an honest browser sends none; the library
 * would follow addresses in the certificates of one.
 */
async function isAnonymous(attestationObject: string): Promise<boolean> {
  const { decodeAttestationObject } = await helpers()
  const attestation = decodeAttestationObject(bytes(attestationObject))
  const format = attestation.get('fmt')
  return format === 'none' || (format === 'packed' && attestation.get('attStmt').get('x5c') === undefined)
}

const base64url = z
  .string()
  .max(100_000)
  .regex(/^[A-Za-z0-9_-]+$/)
const credential = { id: base64url, rawId: base64url, type: z.literal('public-key') }

const registration = z.object({
  ...credential,
  response: z.object({
    clientDataJSON: base64url,
    attestationObject: base64url,
    transports: z.array(z.string()).max(20).optional(),
  }),
})

const authentication = z.object({
  ...credential,
  response: z.object({ clientDataJSON: base64url, authenticatorData: base64url, signature: base64url }),
})

function parse<Schema extends z.ZodType>(schema: Schema, answer: string): z.infer<Schema> | undefined {
  try {
    return schema.safeParse(JSON.parse(answer)).data
  } catch {
    return undefined
  }
}

function bytes(text: string, encoding: 'base64url' | 'utf8' = 'base64url'): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.from(text, encoding))
}
