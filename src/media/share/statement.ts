import { z } from 'zod'
import { isHybridTime } from '../../ledger/clock.ts'
import { canonicalBytes } from '../../ledger/document.ts'
import { isKeyText, verifySignature } from '../../ledger/keys.ts'
import type { SigningKey } from '../../ledger/keys.ts'
import { digest } from '../../ledger/manifest.ts'

/** At most so many digests stand in one statement. */
export const STATEMENT_DIGESTS = 2000
/** Of so many statements the list at the beginning of an epoch may consist: a million files. */
export const MOST_PARTS = 500
/** So many statements may come behind that list; then its node begins a new epoch. */
export const MOST_CHANGES = 1000

const key = z.string().refine(isKeyText, 'is not a key')
const count = z.int().min(0)
const envelope = {
  node: key,
  /** Which log of the node it is: when that was begun, in milliseconds since 1970. */
  epoch: count,
  number: count,
  /** Hybrid time. */
  at: z.string().refine(isHybridTime, 'is not a time'),
  /** Under whose law the node stands, as it says. */
  jurisdiction: z.string().min(1).max(40).optional(),
  /** Whether it keeps every file, by its own policy. */
  keepsAll: z.boolean(),
  sig: z.string().max(100),
}

const statementShape = z
  .strictObject({
    type: z.literal('holding'),
    ...envelope,
    /** In the first statement of an epoch: of how many the list consists of all that the node holds. */
    parts: z.int().min(1).max(MOST_PARTS).optional(),
    added: z.array(digest).max(STATEMENT_DIGESTS, { abort: true }),
    gone: z.array(digest).max(STATEMENT_DIGESTS, { abort: true }),
  })
  .refine(({ number, parts }) => (number === 0) === (parts !== undefined), 'begins wrongly')
  .refine(({ number }) => number < MOST_PARTS + MOST_CHANGES, 'has too high a number')
  .refine(({ added, gone }) => added.length + gone.length <= STATEMENT_DIGESTS, 'is too long')

const signShape = z.strictObject({ type: z.literal('holding-head'), ...envelope })

/**
 * What a node says of the files that it holds: which have come, and which have gone. Statements are numbered from 0 in
 * each epoch; the first `parts` of them list everything.
 */
export type Statement = z.output<typeof statementShape>

/** A node's sign of life: how far its log goes. */
export type Sign = z.output<typeof signShape>

type Unsigned<Signed> = Omit<Signed, 'type' | 'node' | 'sig'>

export function makeStatement(said: Unsigned<Statement>, key: SigningKey): Statement {
  return signed({ type: 'holding' as const, node: key.publicKey, ...said }, key)
}

export function makeSign(said: Unsigned<Sign>, key: SigningKey): Sign {
  return signed({ type: 'holding-head' as const, node: key.publicKey, ...said }, key)
}

/** Signs the canonical form of an object (RFC 8785), as documents of the ledger are. */
export function signed<Content extends { node: string }>(
  content: Content,
  key: SigningKey,
): Content & { sig: string } {
  // Without what is undefined, which has no canonical form.
  const plain = JSON.parse(JSON.stringify(content)) as Content & Record<string, unknown>
  return { ...plain, sig: key.sign(canonicalBytes(plain)) }
}

/** Whether the node that an object names has signed it. */
export function isSigned(content: { node: string; sig: string }): Promise<boolean> {
  return verifySignature(canonicalBytes({ ...content }), content.node, content.sig)
}

/** A statement from outside; its signature is not looked at. Undefined for what is none. */
export function readStatement(value: unknown): Statement | undefined {
  return statementShape.safeParse(value).data
}

/** The same of a sign of life. */
export function readSign(value: unknown): Sign | undefined {
  return signShape.safeParse(value).data
}
