import type { ExecutionContext } from 'ava'
import type { Database } from '../../src/couch/database.ts'
import type { Edit } from '../../src/ledger/document.ts'
import type { SigningKey } from '../../src/ledger/keys.ts'
import { makeEdit } from './keys.ts'
import type { TestNode } from './node.ts'

/** Documents and what was done to them past the gateway. */
export interface Intrusion {
  /** Nothing was done to it. */
  honest: Edit
  /** Erased as it should be: nothing to report. */
  erased: Edit
  /** A second revision follows it. */
  writtenOver: Edit
  /** A second revision stands beside it. */
  beside: Edit
  /** Erased, then something lives under its id again. */
  overErasure: Edit
  /** Another body has its id and revision. */
  forged: Edit
  /** Something lives under this id, which no document has. */
  invented: string
}

/** Writes to a ledger's database whatever an intruder, or a careless administrator, can. */
export async function intrude(database: Database, key: SigningKey): Promise<Intrusion> {
  const edit = (title: string) => makeEdit(key, { fields: { title } })
  const honest = edit('Honest')
  const erased = edit('Erased')
  const writtenOver = edit('The true text')
  const beside = edit('The only one')
  const overErasure = edit('Erased too')
  const forged = edit('Never seen')
  const invented = `${honest._id.slice(0, -40)}${'a'.repeat(40)}`
  await database.bulkDocs([honest, erased, writtenOver, beside, overErasure], { newEdits: false })
  for (const { _id, _rev } of [erased, overErasure]) await database.delete(_id, _rev)
  await database.put(retitled(writtenOver, 'Bogus text'))
  const written = [
    { ...retitled(beside, 'Bogus text'), _rev: '1-ffffffffffffffffffffffffffffffff' },
    { ...retitled(overErasure, 'Bogus text'), _rev: '3-ffffffffffffffffffffffffffffffff' },
    retitled(forged, 'Bogus text'),
    { _id: 'shopping-list', _rev: '1-ffffffffffffffffffffffffffffffff', title: 'Bogus text' },
    { _id: invented, _rev: '1-ffffffffffffffffffffffffffffffff', title: 'Bogus text' },
  ]
  await database.bulkDocs(written, { newEdits: false })
  const design = { _id: '_design/spy', language: 'javascript', views: {} }
  await database.put(design)
  return { honest, erased, writtenOver, beside, overErasure, forged, invented }
}

/** What the doctor has to say of an intrusion: kinds by id. */
export function diagnosis(intrusion: Intrusion): Record<string, string> {
  const { writtenOver, beside, overErasure, forged, invented } = intrusion
  return {
    'shopping-list': 'foreign-document',
    '_design/spy': 'unknown-design-document',
    [writtenOver._id]: 'written-over',
    [beside._id]: 'extra-revision',
    [overErasure._id]: 'written-over-erasure',
    [forged._id]: 'unproven',
    [invented]: 'missing',
  }
}

/** A signed edit with another title under the same id and signatures. */
export function retitled(document: Edit, title: string): Edit {
  return { ...document, fields: { ...document.fields, title } }
}

/** Where pages could show something: each of the intrusion's articles, the newswire and the feed. */
export async function pagesNeverShow(
  t: ExecutionContext,
  node: TestNode,
  intrusion: Intrusion,
): Promise<void> {
  const { honest, writtenOver, beside, forged, overErasure } = intrusion
  const pages = ['/', '/newswire', '/newswire/feed.rss']
  for (const { item } of [honest, writtenOver, beside, forged, overErasure])
    pages.push(`/articles/${item}`, `/articles/${item}/history`)
  for (const path of pages) t.false((await node.html(path)).includes('Bogus text'), path)
}

/** Writes past the gateway of a running node. */
export function intrudeInto(node: TestNode): Promise<Intrusion> {
  return node.withCouch(async (couch) => intrude(couch.database('ledger'), await node.key()))
}
