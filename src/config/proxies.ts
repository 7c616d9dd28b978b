import { z } from 'zod'

const seconds = z.int().min(0)

/** How long servers in front of a node may give out a page without asking it. `docs/proxies.md` explains each. */
export const cacheSettings = z
  .strictObject({
    leastSeconds: seconds.default(60),
    mostSeconds: seconds.default(3600),
    listingSeconds: seconds.max(60).default(60),
    errorSeconds: seconds.default(7 * 24 * 3600),
  })
  .refine(({ leastSeconds, mostSeconds }) => leastSeconds <= mostSeconds, {
    path: ['leastSeconds'],
    error: 'is more than mostSeconds',
  })
  .prefault({})

/** Whether an address names nothing but a server: what it is asked for is appended, and a password belongs elsewhere. */
function isPlain(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { pathname, search, hash, username, password } = new URL(text)
  return pathname === '/' && [search, hash, username, password].every((part) => part === '')
}

const proxy = z.strictObject({
  url: z
    .url({ protocol: /^https?$/, error: 'is not an http or https address' })
    .refine(isPlain, 'has more than a host and a port')
    .transform((text) => new URL(text).origin),
  method: z.enum(['BAN', 'PURGE']),
  secret: z
    .string()
    .regex(/^[\x21-\x7e]{8,200}$/, 'must be 8 to 200 letters, digits and signs without spaces')
    .optional(),
})

/** Servers in front of a node that are told when a page does not hold any more. */
export const proxySettings = z.array(proxy).max(20).default([])
