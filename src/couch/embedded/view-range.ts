import { CouchAnswer } from './answers.ts'
import { BEHIND_ALL, orderedString, orderedValue } from './key-order.ts'
import type { Bounds } from './own-level.ts'
import type { Range } from './ranges.ts'

/**
 * The keys between which a range's rows lie. `startkey_docid` and `endkey_docid` mean nothing without a key.
 *
 * @param view what the keys of the view's rows begin with
 * @throws CouchAnswer 400 for a range that ends before it begins
 */
export function viewBounds(view: string, range: Range): Bounds {
  const { key, startkey = key, endkey = key, startkey_docid: startId, endkey_docid: endId } = range
  const { descending = false, inclusive_end: inclusive = true } = range
  const start = startkey === undefined ? undefined : orderedValue(startkey)
  const end = endkey === undefined ? undefined : orderedValue(endkey)
  if (start !== undefined && end !== undefined && (descending ? start < end : start > end)) {
    const reason =
      'No rows can match your key range, reverse your start_key and end_key or set descending to the opposite.'
    throw new CouchAnswer(400, 'query_parse_error', reason)
  }
  const startAt = start === undefined ? view : placeOf(view + start, startId)
  const endAt = end === undefined ? view : placeOf(view + end, endId)
  // Behind a place are the rows that begin with it.
  if (!descending) {
    return { gte: startAt, lt: inclusive || end === undefined ? endAt + BEHIND_ALL : endAt }
  }
  return {
    gte: inclusive || end === undefined ? endAt : endAt + BEHIND_ALL,
    lt: startAt + BEHIND_ALL,
  }
}

function placeOf(key: string, id: string | undefined): string {
  return id === undefined ? key : key + orderedString(id)
}
