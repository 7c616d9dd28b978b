import { createHash } from 'node:crypto'
import serialize from 'canonicalize'
import { HyperactiveError } from '../errors.ts'
import { verifySignature } from './keys.ts'
import type { SigningKey } from './keys.ts'
import type { MediaFields } from './media.ts'

export const SCHEMA_VERSION = 1

/** What every ledger document carries. Fields that this version does not know are kept. */
export interface Envelope {
  _id: string
  _rev: string
  v: number
  type: string
  item: string
  at: string
  node: string
  sig: string
  [field: string]: unknown
}

/** The complete fields of an item at one version; which names there are, the item's kind says. */
export type Fields = Record<string, unknown>

/** One complete saved version of an item. */
export interface Edit extends Envelope {
  type: 'edit'
  kind: string
  /** Hashes of the edits that this one was made from; empty for an item's first. */
  parents: string[]
  fields: Fields
  note?: string
  author: string
  authorSig: string
}

/** A reader's remark on an item. Nothing of it is ever changed; moderation hides it. */
export interface Comment extends Envelope {
  type: 'comment'
  fields: Fields
  /** The hash of the comment that it answers. */
  inReplyTo?: string
}

/** What moderation may say of an item or of a comment. */
export type Action =
  | 'hide'
  | 'unhide'
  | 'conceal'
  | 'withdraw'
  | 'reinstate'
  | 'approve'
  | 'publish'
  | 'promote'
  | 'feature'
  | 'stick'
  | 'unstick'
  | 'lock'
  | 'unlock'

/** One act of moderation. It is in force until another of the same kind supersedes it. */
export interface Decision extends Envelope {
  type: 'decision'
  /** The item, or the hash of one of its comments. */
  target: string
  /** An {@link Action}, or one that a later version knows. */
  action: string
  reason?: string
  /** What sort of reason it is, by a name of the list that moderators choose from. */
  category?: string
  /** The account that decided, by its id on the node; a command line has none. */
  by?: string
  /** Hashes of the decisions that the moderator saw. */
  supersedes: string[]
  /** Who withdraws an item signs as its author. */
  author?: string
  authorSig?: string
}

/**
 * An order to remove the content of an item, or of a comment, for good; or, with `order`, what a node did about one.
 * It never holds any of the content.
 */
export interface Erasure extends Envelope {
  type: 'erasure'
  /** The item, or the hash of one of its comments. */
  target: string
  /** What sort of reason it is, by a name of a list. */
  category?: string
  /** The account that ordered it, by its id on the node. */
  by?: string
  /** Of an answer: the hash of the order. */
  order?: string
  did?: 'executed' | 'declined'
}

/** A file that belongs to an item, or files that were made of one. The node signs it; an edit says whether it counts. */
export interface Media extends Envelope, MediaFields {
  type: 'media'
}

/** A member lets another node's key into the network. */
export interface Admission extends Envelope {
  type: 'admission'
  key: string
}

/** A member puts a key out of the network. */
export interface Eviction extends Envelope {
  type: 'eviction'
  key: string
  reason?: string
}

/** A node's public face. */
export interface Profile extends Envelope {
  type: 'profile'
  fields: { name: string; url?: string; onion?: string; jurisdiction?: string }
}

/** A document's own content, before the node's key, hash and signatures are put on it. */
export type Draft =
  | (Pick<Edit, 'type' | 'item' | 'kind' | 'parents' | 'fields'> & { note?: string })
  | (Pick<Comment, 'type' | 'item' | 'fields'> & { inReplyTo?: string })
  | (Pick<Decision, 'type' | 'item' | 'target' | 'action' | 'supersedes'> & {
      reason?: string
      category?: string
      by?: string
    })
  | (Pick<Erasure, 'type' | 'item' | 'target'> & Partial<Pick<Erasure, 'category' | 'by' | 'order' | 'did'>>)
  | (Pick<Media, 'type' | 'item'> & MediaFields)
  | Pick<Admission, 'type' | 'item' | 'key'>
  | (Pick<Eviction, 'type' | 'item' | 'key'> & { reason?: string })
  | Pick<Profile, 'type' | 'item' | 'fields'>

const OUTSIDE_THE_HASH = new Set(['_id', '_rev', 'sig', 'authorSig'])
const HASH = /^[0-9a-f]{40}$/

/** Whether `text` has the form of a document's hash: 40 lower-case hex digits. */
export function isHash(text: string): boolean {
  return HASH.test(text)
}

/**
 * The bytes that are hashed and signed: RFC 8785 canonical JSON of the document without `_id`, `_rev`, `sig` and
 * `authorSig`.
 */
export function canonicalBytes(document: Record<string, unknown>): Buffer {
  const content: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(document)) if (!OUTSIDE_THE_HASH.has(name)) content[name] = value
  return Buffer.from(serialize(content) ?? '')
}

/** The first 40 hex digits of SHA-256 over a document's canonical bytes. */
export function hashBytes(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, 40)
}

/** The hash that a document's id ends in. */
export function hashInId(id: string): string {
  return id.slice(id.lastIndexOf(':') + 1)
}

/** The only revision that a document with this id may have. */
export function revisionOf(id: string): string {
  return `1-${hashInId(id).slice(0, 32)}`
}

/** The parts of a ledger id, or undefined when it is not one. */
export function parseId(id: string): { item: string; type: string; hash: string } | undefined {
  const [item, type, hash, ...rest] = id.split(':')
  if (!item || !type || !hash || rest.length > 0 || !isHash(hash)) return undefined
  return { item, type, hash }
}

/** Signs a draft with the node's key, and an edit with its author's too, and gives it its id and revision. */
export function makeDocument(draft: Draft, at: string, node: SigningKey, author?: SigningKey): Envelope {
  const content: Record<string, unknown> = { v: SCHEMA_VERSION, ...draft, at, node: node.publicKey }
  if (draft.type === 'edit' && !author)
    throw new HyperactiveError('author_missing', "an edit needs its author's key")
  const signsToo = author && (draft.type === 'edit' || draft.type === 'decision') ? author : undefined
  if (signsToo) content.author = signsToo.publicKey
  const problem = plainDataProblem(content)
  if (problem)
    throw new HyperactiveError('not_plain_data', `the document cannot be stored: ${problem}`, { status: 400 })
  const bytes = canonicalBytes(content)
  const hash = hashBytes(bytes)
  const id = `${draft.item}:${draft.type}:${hash}`
  return {
    _id: id,
    _rev: revisionOf(id),
    ...content,
    ...(signsToo ? { authorSig: signsToo.sign(bytes) } : {}),
    sig: node.sign(bytes),
  } as unknown as Envelope
}

/** The id that follows from a document's content; a document with another id was altered, or is none of the ledger. */
export function idOf(document: Record<string, unknown>): string {
  return `${String(document.item)}:${String(document.type)}:${hashBytes(canonicalBytes(document))}`
}

/**
 * Proves a document by itself: its id and revision follow from its content, and its signatures are valid. The shape
 * (schema) is checked apart, by `documentProblem`.
 *
 * @param bytes the canonical form, if it is at hand
 * @returns what is wrong, or undefined when nothing is
 */
export async function proofProblem(
  document: Envelope,
  bytes = canonicalBytes(document),
): Promise<string | undefined> {
  const hash = hashBytes(bytes)
  const id = `${document.item}:${document.type}:${hash}`
  if (document._id !== id) return 'the id does not follow from the content'
  if (document._rev !== revisionOf(id)) return 'the revision does not follow from the content'
  const proven = `${hash} ${document.node} ${document.sig} ${String(document.author)} ${String(document.authorSig)}`
  if (provenBefore.has(proven)) return undefined
  const { author, authorSig } = document
  const signatures = [verifySignature(bytes, document.node, document.sig)]
  if (author !== undefined || authorSig !== undefined) {
    signatures.push(verifySignature(bytes, String(author), String(authorSig)))
  }
  const [byNode, byAuthor] = await Promise.all(signatures)
  if (!byNode) return 'the signature of the node is not valid'
  if (byAuthor === false) return "the author's signature is not valid"
  if (provenBefore.size >= PROOFS_KEPT) provenBefore.clear()
  provenBefore.add(proven)
  return undefined
}

// A document is proven when it enters and again by whoever reads it, because the store behind the gateway is not
// trusted. Within this process the same bytes need the costly half of the proof only once.
const PROOFS_KEPT = 20_000
const provenBefore = new Set<string>()

const DEEPEST = 12

/**
 * What keeps a value from being the same bytes on every engine: only booleans, well-formed strings, integers within
 * 2^53, arrays and objects are; `null` stands for nothing and is refused.
 *
 * @returns the first problem found with the path to it, or undefined
 */
export function plainDataProblem(value: unknown, path = '', depth = 0): string | undefined {
  const where = path === '' ? 'the document' : path
  if (depth > DEEPEST) return `${where} is nested more than ${DEEPEST} deep`
  switch (typeof value) {
    case 'boolean':
      return undefined
    case 'string':
      return value.isWellFormed() ? undefined : `${where} is not well-formed Unicode`
    case 'number':
      return Number.isSafeInteger(value) && !Object.is(value, -0)
        ? undefined
        : `${where} is not an integer within 2^53`
    case 'object':
      break
    default:
      return `${where} is ${typeof value}`
  }
  if (value === null) return `${where} is null`
  if (Array.isArray(value)) {
    for (const [index, entry] of value.entries()) {
      const problem = plainDataProblem(entry, `${path}[${index}]`, depth + 1)
      if (problem) return problem
    }
    return undefined
  }
  for (const [name, entry] of Object.entries(value)) {
    const at = path === '' ? name : `${path}.${name}`
    if (!name.isWellFormed()) return `${where} has a name that is not well-formed Unicode`
    if (name === '__proto__') return `${at} is not a name for a field`
    const problem = plainDataProblem(entry, at, depth + 1)
    if (problem) return problem
  }
  return undefined
}
