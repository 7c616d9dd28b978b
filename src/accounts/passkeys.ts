import { isIP } from 'node:net'
import { z } from 'zod'

/** A key of somebody's device as a second factor (WebAuthn). Its private half never leaves the device. */
export interface Passkey {
  /** The credential's id, base64url. */
  id: string
  /** In the COSE form, base64url. */
  publicKey: string
  /** The host that it was made at, and the only one where browsers use it. */
  rpId: string
  /** How browsers reach the device, such as "usb". */
  transports: string[]
  /** What its owner calls it; may be empty. */
  label: string
  /** How often the device says that it has signed; 0 for those that do not count. */
  signed: number
  /** Hybrid time. */
  addedAt: string
}

/** One that no account has yet. */
export type NewPasskey = Omit<Passkey, 'addedAt'>

/** More than anybody has devices. */
export const MOST_PASSKEYS = 10
/** In characters, each of which may take two units. */
export const LONGEST_LABEL = 60
/** What an id may be long: 16 to 1023 bytes (WebAuthn, 4). */
const ID = '[A-Za-z0-9_-]{22,1364}'
const HOST = /^(?=.{1,253}$)[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/

const stored = z.strictObject({
  publicKey: z.string().regex(/^[A-Za-z0-9_-]{40,1000}$/),
  rpId: z.string().regex(HOST),
  transports: z.array(z.string().regex(/^[a-z-]{1,20}$/)).max(8),
  label: z.string().max(2 * LONGEST_LABEL),
})

/** The entries of an account that make its passkeys: each is a text, and the count is apart because it changes. */
export const PASSKEY_ENTRIES: readonly [RegExp, z.ZodType][] = [
  [new RegExp(`^passkey:${ID}$`), z.string().max(2000).refine(isStored).nullable()],
  [new RegExp(`^passkeySigned:${ID}$`), z.int().min(0).max(0xffff_ffff).nullable()],
]

type Values = Readonly<Record<string, string | number | null>>
type Entries = Readonly<Record<string, { value: unknown; at: string }>>

/** Whether a passkey is one that accounts can hold; devices may make others. */
export function isStorable(passkey: NewPasskey): boolean {
  return new RegExp(`^${ID}$`).test(passkey.id) && isStored(textOf(passkey))
}

/** What adds a passkey to an account. */
export function passkeyChanges(passkey: NewPasskey): Values {
  const { id, signed } = passkey
  return { [`passkey:${id}`]: textOf(passkey), ...(signed === 0 ? {} : signedChanges(id, signed)) }
}

/** What notes how often a device has signed. */
export function signedChanges(id: string, signed: number): Values {
  return { [`passkeySigned:${id}`]: signed }
}

/** What takes a passkey away. */
export function withoutPasskey({ id, signed }: Passkey): Values {
  return { [`passkey:${id}`]: null, ...(signed === 0 ? {} : { [`passkeySigned:${id}`]: null }) }
}

/** The passkeys among an account's entries, the oldest first. */
export function readPasskeys(entries: Entries): Passkey[] {
  return Object.entries(entries)
    .flatMap(([name, { value, at }]) => {
      const id = name.startsWith('passkey:') ? name.slice('passkey:'.length) : undefined
      const passkey = id === undefined ? undefined : parse(value)
      if (id === undefined || !passkey) return []
      const signed = entries[`passkeySigned:${id}`]?.value
      return [{ id, ...passkey, signed: typeof signed === 'number' ? signed : 0, addedAt: at }]
    })
    .sort((a, b) => (a.addedAt < b.addedAt ? -1 : 1))
}

/** The name that browsers bind a passkey to; none where an address has a number, which WebAuthn does not take. */
export function rpIdOf(url: string): string | undefined {
  const host = URL.canParse(url) ? new URL(url).hostname : ''
  return isIP(host) === 0 && HOST.test(host) ? host : undefined
}

function parse(value: unknown): z.infer<typeof stored> | undefined {
  if (typeof value !== 'string') return undefined
  try {
    return stored.safeParse(JSON.parse(value)).data
  } catch {
    return undefined
  }
}

function textOf({ publicKey, rpId, transports, label }: NewPasskey): string {
  return JSON.stringify({ publicKey, rpId, transports, label })
}

function isStored(value: string): boolean {
  return parse(value) !== undefined
}
