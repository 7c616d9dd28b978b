import { kindOf } from '../kinds/registry.ts'
import { SCHEMA_VERSION } from '../ledger/document.ts'
import type { Edit, Envelope } from '../ledger/document.ts'
import { belongsTo } from '../ledger/item-id.ts'
import type { Membership } from './membership.ts'
import type { HeldDocument } from './site-item.ts'

/** Whether a proven document is projected; otherwise why it is held. Pure, and the same on every node with the same members. */
export function judge(document: Envelope, membership: Membership): 'project' | HeldDocument['reason'] {
  if (document.v !== SCHEMA_VERSION) return 'unknown-version'
  if (!membership.counts(document.node, document.at)) return 'stranger'
  if (!isEdit(document)) return 'project'
  if (!kindOf(document.kind)) return 'unknown-kind'
  return belongsTo(document.item, document.author) ? 'project' : 'not-entitled'
}

export function isEdit(document: Envelope): document is Edit {
  return document.type === 'edit'
}
