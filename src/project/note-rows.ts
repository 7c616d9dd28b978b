import { BEHIND_ALL, orderedValue } from '../couch/embedded/key-order.ts'
import type { RangeQuery, ViewRow } from '../couch/database.ts'
import { currentReads } from '../reads.ts'
import { partOf } from '../shown.ts'
import type { RowPart } from '../shown.ts'

/**
 * Notes that rows of a view were read. Where a limit ended the reading, only what lies up to the last row counts: what
 * comes behind it cannot change what was read.
 *
 * @param part the only part of the rows that matters
 */
export function noteRows(
  view: string,
  query: RangeQuery,
  rows: readonly ViewRow<unknown>[],
  part?: RowPart,
): void {
  const reads = currentReads()
  if (!reads) return
  const { key, startkey = key, endkey = key, descending = false, limit = Infinity } = query
  const last = rows.length >= limit ? rows.at(-1)?.key : undefined
  const end = last === undefined ? endkey : last
  const [low, high] = descending ? [end, startkey] : [startkey, end]
  reads.addRange({
    view: partOf(view, part),
    from: low === undefined ? '' : orderedValue(low),
    to: high === undefined ? BEHIND_ALL : orderedValue(high),
  })
  if (query.include_docs) for (const { id } of rows) reads.documents.add(id)
}
