import type { Database } from '../couch/database.ts'
import { HyperactiveError } from '../errors.ts'
import { fieldsOf, fieldsProblem } from '../import/importer.ts'
import type { Piece } from '../import/piece.ts'
import { kindOf } from '../kinds/base/registry.ts'
import type { SigningKey } from '../ledger/keys.ts'
import { isItemId } from '../ledger/item-id.ts'
import type { Ledger } from '../ledger/ledger.ts'
import { editTime } from './edit-time.ts'
import type { SiteItem } from '../project/site-item.ts'
import { sameValue } from '../resolve/values.ts'

/** Fields that a file does not hold as the item has them: how it came here, and what leads to it. */
const KEPT = new Set(['files', 'importId', 'aliases', 'group', 'groupKey', 'translationOf'])

/**
 * Saves what a file says as the next version of the item that it names, in this node's name: members of the network are
 * its editors. Somebody else's edit at the same time is merged.
 *
 * @returns whether there was anything to save
 * @throws HyperactiveError `unknown_item`, `unfit_fields`
 */
export async function revise(
  { ledger, site, key, language }: { ledger: Ledger; site: Database; key: SigningKey; language: string },
  piece: Piece,
): Promise<boolean> {
  const id = piece.name ?? ''
  const found = isItemId(id) ? await site.get(id) : undefined
  if (found?.type !== 'item') {
    const text = `${piece.source} names no item of this node: "id" in its front matter has to be one`
    throw new HyperactiveError('unknown_item', text, { status: 404 })
  }
  const item = found as unknown as SiteItem
  const kind = kindOf(item.kind)
  const kept = Object.entries(item.fields).filter(([name]) => KEPT.has(name))
  const fields = { ...Object.fromEntries(kept), ...fieldsOf(piece, language) }
  const problem =
    kind && (piece.kind ?? item.kind) === kind.name
      ? fieldsProblem(kind, fields)
      : `is no longer of the kind "${item.kind}"`
  if (problem !== undefined)
    throw new HyperactiveError('unfit_fields', `${piece.source}: ${problem}`, { status: 422 })
  if (item.clashes.length === 0 && sameValue(fields, item.fields)) return false
  const draft = {
    type: 'edit' as const,
    item: id,
    kind: item.kind,
    parents: item.heads,
    fields,
    note: 'By an editor',
  }
  const at = editTime(fields, item, item.heads)
  await ledger.append([{ draft, author: key, ...(at === undefined ? {} : { at }) }])
  return true
}
