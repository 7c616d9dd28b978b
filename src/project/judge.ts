import { kindOf } from '../kinds/base/registry.ts'
import { SCHEMA_VERSION } from '../ledger/document.ts'
import type { Comment, Decision, Edit, Envelope, Erasure, Media } from '../ledger/document.ts'
import { aspectOf } from './decisions.ts'
import { belongsTo } from '../ledger/item-id.ts'
import type { Membership } from './membership.ts'
import type { HeldDocument } from './site-item.ts'

/** Whether a proven document is projected; otherwise why it is held. Pure, and the same on every node with the same members. */
export function judge(document: Envelope, membership: Membership): 'project' | HeldDocument['reason'] {
  if (document.v !== SCHEMA_VERSION) return 'unknown-version'
  if (!membership.counts(document.node, document.at)) return 'stranger'
  if (isDecision(document)) return isEntitled(document, membership) ? 'project' : 'not-entitled'
  if (!isEdit(document)) return 'project'
  const kind = kindOf(document.kind)
  if (!kind) return 'unknown-kind'
  // The nodes of the network are its editors: they sign with their own key as the author's.
  const byEditor = membership.counts(document.author, document.at)
  if (kind.by === 'editors' && !byEditor) return 'not-entitled'
  return byEditor || belongsTo(document.item, document.author) ? 'project' : 'not-entitled'
}

/** Whether an item is withdrawn is its author's business, by their signature; all else is the nodes'. */
function isEntitled({ action, item, target, author }: Decision, membership: Membership): boolean {
  if (aspectOf(action) !== 'author') return true
  return author !== undefined && target === item && (belongsTo(item, author) || membership.isMember(author))
}

export function isEdit(document: Envelope): document is Edit {
  return document.type === 'edit'
}

export function isComment(document: Envelope): document is Comment {
  return document.type === 'comment'
}

export function isMedia(document: Envelope): document is Media {
  return document.type === 'media'
}

export function isErasure(document: Envelope): document is Erasure {
  return document.type === 'erasure'
}

export function isDecision(document: Envelope): document is Decision {
  return document.type === 'decision'
}
