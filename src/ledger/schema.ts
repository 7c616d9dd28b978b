import { z } from 'zod'
import { commentFields } from '../kinds/base/comment.ts'
import { kindOf } from '../kinds/base/registry.ts'
import { isHybridTime } from './clock.ts'
import { isHash, plainDataProblem, SCHEMA_VERSION } from './document.ts'
import { belongsTo, isItemId, NETWORK } from './item-id.ts'
import { isKeyText } from './keys.ts'
import { mediaShape } from './media.ts'

const key = z.string().refine(isKeyText, 'is not an Ed25519 public key in base64url')
const hash = z.string().refine(isHash, 'is not a hash of 40 hex digits')
const item = z.string().refine(isItemId, 'is not the id of an item')
const network = z.literal(NETWORK)
const hashes = z.array(hash).max(100)
const shortText = z.string().max(2_000)

const envelope = z.looseObject({
  _id: z.string(),
  _rev: z.string(),
  v: z.int().min(1),
  type: z.string().regex(/^[a-z]{1,20}$/, 'is not a type'),
  item: z.string().refine((text) => text === NETWORK || isItemId(text), 'is not the id of an item'),
  at: z.string().refine(isHybridTime, 'is not a hybrid time'),
  node: key,
  sig: z.string().length(86),
})

const BY_TYPE: Record<string, z.ZodType> = {
  edit: z.looseObject({
    item,
    kind: z.string().regex(/^[a-z][a-z-]{0,29}$/, 'is not the name of a kind'),
    parents: hashes,
    fields: z.record(z.string(), z.unknown()),
    note: shortText.optional(),
    author: key,
    authorSig: z.string().length(86),
  }),
  comment: z.looseObject({ item, fields: commentFields, inReplyTo: hash.optional() }),
  decision: z.looseObject({
    item,
    target: z.string().max(100),
    action: z.string().max(30),
    reason: shortText.optional(),
    category: z.string().max(40).optional(),
    by: z.string().max(60).optional(),
    supersedes: hashes,
    author: key.optional(),
    authorSig: z.string().length(86).optional(),
  }),
  media: mediaShape.and(z.looseObject({ item })),
  erasure: z.looseObject({
    item,
    target: z.union([item, hash]),
    category: z
      .string()
      .regex(/^[a-z][a-z-]{0,39}$/, 'is not the name of a reason')
      .optional(),
    by: z.string().max(60).optional(),
    order: hash.optional(),
    did: z.enum(['executed', 'declined']).optional(),
  }),
  admission: z.looseObject({ item: network, key }),
  eviction: z.looseObject({ item: network, key, reason: shortText.optional() }),
  profile: z.looseObject({
    item: network,
    fields: z.looseObject({
      name: z.string().min(1).max(100),
      url: z
        .url({ protocol: /^https?$/ })
        .max(500)
        .optional(),
      onion: z
        .url({ protocol: /^https?$/ })
        .max(500)
        .optional(),
      jurisdiction: z.string().max(100).optional(),
    }),
  }),
}

/**
 * What is wrong with a document's shape. Documents of a later schema version need only the envelope: they are kept
 * for the day when this node understands them. An item's first edit must be by the key that the item's id was made
 * for (decision record 0002).
 *
 * @returns one line that names the field, or undefined when the shape is right
 */
export function documentProblem(document: unknown): string | undefined {
  const plain = plainDataProblem(document)
  if (plain) return plain
  const special = Object.keys(document as object).find(
    (name) => name.startsWith('_') && name !== '_id' && name !== '_rev',
  )
  if (special) return `${special} is not a field of a ledger document`
  const parsed = envelope.safeParse(document)
  if (!parsed.success) return problemLine(parsed.error)
  if (parsed.data.v !== SCHEMA_VERSION) return undefined
  const shape = BY_TYPE[parsed.data.type]
  if (!shape) return `type "${parsed.data.type}" is not one of a ledger document`
  const shaped = shape.safeParse(document)
  if (!shaped.success) return problemLine(shaped.error)
  return parsed.data.type === 'edit' ? editProblem(parsed.data) : undefined
}

function editProblem(edit: Record<string, unknown>): string | undefined {
  const { item, author, parents, kind, fields } = edit as {
    item: string
    author: string
    parents: string[]
    kind: string
    fields: unknown
  }
  if (parents.length === 0 && !belongsTo(item, author))
    return "an item's first edit must be by the author its id was made for"
  if (new Set(parents).size !== parents.length) return 'parents names an edit twice'
  const checked = kindOf(kind)?.schema.safeParse(fields)
  return checked?.success === false ? `fields.${problemLine(checked.error)}` : undefined
}

function problemLine(error: z.ZodError): string {
  const issue = error.issues[0]
  return issue ? `${issue.path.join('.')} ${issue.message}`.trim() : 'the shape is wrong'
}
