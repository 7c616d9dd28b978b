import { randomBytes } from 'node:crypto'
import { HybridClock } from '../../src/ledger/clock.ts'
import { makeDocument } from '../../src/ledger/document.ts'
import type { Edit } from '../../src/ledger/document.ts'
import { makeItemId } from '../../src/ledger/item-id.ts'
import { keyFromSeed } from '../../src/ledger/keys.ts'
import type { SigningKey } from '../../src/ledger/keys.ts'

const clock = new HybridClock()

export function newKey(): SigningKey {
  return keyFromSeed(randomBytes(32))
}

export interface EditOptions {
  author?: SigningKey
  item?: string
  parents?: string[]
  at?: string
  fields?: Record<string, unknown>
  kind?: string
}

/** A signed edit of an article, an item's first unless parents are given. */
export function makeEdit(node: SigningKey, options: EditOptions = {}): Edit {
  const { author = newKey(), parents = [], at = clock.now(), fields = {}, kind = 'article' } = options
  const item = options.item ?? makeItemId(author.publicKey, Date.now())
  const complete = { title: 'A title', body: 'A text.', tags: [], language: 'en', ...fields }
  return makeDocument({ type: 'edit', item, kind, parents, fields: complete }, at, node, author) as Edit
}
