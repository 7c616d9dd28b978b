import type { Limits } from './gateway.ts'
import type { HybridClock } from '../ledger/clock.ts'
import { canonicalBytes, parseId, proofProblem } from '../ledger/document.ts'
import type { Envelope } from '../ledger/document.ts'
import { documentProblem } from '../ledger/schema.ts'
import type { Membership } from '../project/membership.ts'

/** Why a document is not let in: `forbidden` will never be right, `too_busy` may become so. */
export interface Problem {
  code: 'forbidden' | 'too_busy'
  reason: string
}

export interface CheckContext {
  limits: Limits
  clock: HybridClock
  membership: Membership
}

/**
 * Checks one incoming document by itself: what can be said without looking at the ledger. Replicators send
 * `_revisions` along; it must tell of nothing but the one revision, and is taken off.
 *
 * @returns the document as it is to be stored, or what is wrong with it
 */
export async function checkDocument(given: unknown, context: CheckContext): Promise<Envelope | Problem> {
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    return forbidden('is not a document')
  const { _revisions: revisions, ...document } = given as Record<string, unknown>
  const { _id: id, _rev: rev } = document
  if (typeof id !== 'string' || typeof rev !== 'string') return forbidden('has no id or revision')
  if (id.startsWith('_design/')) return forbidden('design documents are not replicated')
  if ('_deleted' in document) return forbidden('nothing in the ledger is deleted by replication')
  if ('_attachments' in document) return forbidden('documents have no attachments')
  if (!parseId(id)) return forbidden('the id is not one of a ledger document')
  if (revisions !== undefined && !tellsOfOneRevision(revisions, rev))
    return forbidden('has a history of revisions')
  // The shape first: it bounds the depth, and serialising throws on what is nested without end.
  const shape = documentProblem(document)
  if (shape) return forbidden(shape)
  const envelope = document as unknown as Envelope
  const bytes = canonicalBytes(envelope)
  if (bytes.length > context.limits.documentBytes) {
    return forbidden(`has ${bytes.length} bytes; ${context.limits.documentBytes} are allowed`)
  }
  if (context.membership.isEvicted(envelope.node)) return forbidden('the key of its node has been evicted')
  const proof = await proofProblem(envelope, bytes)
  if (proof) return forbidden(proof)
  const aheadMs = context.clock.aheadMs(envelope.at)
  if (aheadMs > context.limits.clockAheadMs) {
    return { code: 'too_busy', reason: `is dated ${Math.round(aheadMs / 1000)} s ahead of this node's clock` }
  }
  return envelope
}

export function isProblem(checked: Envelope | Problem): checked is Problem {
  return 'reason' in checked && 'code' in checked && !('sig' in checked)
}

function tellsOfOneRevision(revisions: unknown, rev: string): boolean {
  const { start, ids } = (revisions ?? {}) as { start?: unknown; ids?: unknown }
  return start === 1 && Array.isArray(ids) && ids.length === 1 && `1-${String(ids[0])}` === rev
}

function forbidden(reason: string): Problem {
  return { code: 'forbidden', reason }
}
