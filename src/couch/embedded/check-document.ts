import { Script } from 'node:vm'
import { messageOf } from '../../errors.ts'
import { CouchAnswer } from './answers.ts'

/** What may follow CouchDB's "generation-hash". */
export const REVISION = /^\d+-[0-9A-Za-z]+$/

/** Members that a document may carry beside its own; PouchDB takes more, `_rev_tree` among them. */
const SPECIAL = new Set([
  '_id',
  '_rev',
  '_deleted',
  '_revisions',
  '_conflicts',
  '_deleted_conflicts',
  '_revs_info',
  '_local_seq',
])
const LARGEST_DOCUMENT_BYTES = 8_000_000

/** A document that may be handed to PouchDB. */
export interface Incoming {
  _id?: string
  _rev?: string
  _deleted?: boolean
  _revisions?: { start: number; ids: string[] }
}

/** @throws CouchAnswer 400 for an id that no document may have */
export function checkId(id: unknown): asserts id is string {
  if (typeof id !== 'string') throw new CouchAnswer(400, 'illegal_docid', 'Document id must be a string')
  if (id === '') throw new CouchAnswer(400, 'illegal_docid', 'Document id must not be empty')
  if (id.startsWith('_') && !/^_(design|local)\/./.test(id)) {
    const reason = 'Only reserved document ids may start with underscore.'
    throw new CouchAnswer(400, 'illegal_docid', reason)
  }
}

/** @throws CouchAnswer 400 for what does not look like a revision */
export function checkRevision(rev: unknown): asserts rev is string {
  if (typeof rev !== 'string' || !REVISION.test(rev))
    throw new CouchAnswer(400, 'bad_request', 'Invalid rev format')
}

/**
 * Checks what PouchDB would choke on, or worse, take: it trusts revision histories.
 *
 * @param withHistory whether the document brings its own revision (`new_edits: false`)
 * @throws CouchAnswer 400, or 413 for one that is too large
 */
export function checkDocument(document: unknown, withHistory: boolean): asserts document is Incoming {
  if (typeof document !== 'object' || document === null || Array.isArray(document)) {
    throw new CouchAnswer(400, 'bad_request', 'Document must be a JSON object')
  }
  const { _id, _rev, _deleted, _revisions } = document as Record<string, unknown>
  if (_id !== undefined || withHistory) checkId(_id)
  for (const name of Object.keys(document)) {
    if (name === '_attachments') {
      throw new CouchAnswer(400, 'bad_request', 'the embedded store keeps no attachments')
    }
    if (name.startsWith('_') && !SPECIAL.has(name)) {
      throw new CouchAnswer(400, 'doc_validation', `Bad special document member: ${name}`)
    }
  }
  if (_deleted !== undefined && typeof _deleted !== 'boolean') {
    throw new CouchAnswer(400, 'bad_request', '_deleted must be a boolean')
  }
  if (_rev !== undefined || (withHistory && _revisions === undefined)) checkRevision(_rev)
  if (_revisions !== undefined) checkHistory(_revisions)
  if (!withHistory && typeof _id === 'string' && _id.startsWith('_design/')) checkViews(document)
}

/** @throws CouchAnswer 413, as CouchDB does by `max_document_size` */
export function checkSize(document: unknown, id: string): void {
  if (Buffer.byteLength(JSON.stringify(document)) > LARGEST_DOCUMENT_BYTES) {
    throw new CouchAnswer(413, 'document_too_large', id)
  }
}

/** Whether a body of this many bytes can hold a document that is too large. */
export function mayBeTooLarge(bodyBytes: number | undefined): boolean {
  return bodyBytes === undefined || bodyBytes > LARGEST_DOCUMENT_BYTES
}

/** A function that does not parse would fail for every document, and PouchDB would say so for each. */
function checkViews(design: { views?: unknown }): void {
  const { views } = design
  if (typeof views !== 'object' || views === null) return
  for (const [name, view] of Object.entries(views)) {
    const { map, reduce } = (view ?? {}) as { map?: unknown; reduce?: unknown }
    for (const [type, source] of Object.entries({ map, reduce })) {
      if (typeof source !== 'string' || source.startsWith('_')) continue
      try {
        // Compiled, never run.
        void new Script(`(${source}\n)`)
      } catch (error) {
        const reason = `Compilation of the ${type} function in the '${name}' view failed: ${messageOf(error)}`
        throw new CouchAnswer(400, 'compilation_error', reason)
      }
    }
  }
}

function checkHistory(revisions: unknown): void {
  const { start, ids } = (revisions ?? {}) as { start?: unknown; ids?: unknown }
  const fits = Number.isSafeInteger(start) && Array.isArray(ids) && ids.length > 0
  if (!fits || ids.length > (start as number) || !ids.every(isHash)) {
    throw new CouchAnswer(400, 'doc_validation', '_revisions must hold a start and a list of ids')
  }
}

function isHash(id: unknown): boolean {
  return typeof id === 'string' && /^[0-9A-Za-z]+$/.test(id)
}
