import type { ByteRange } from './driver.ts'
import { badRange } from './problems.ts'

/**
 * The positions that a range comes to in a blob of so many bytes.
 *
 * @throws HyperactiveError `blob_bad_range`
 */
export function rangeIn(
  bytes: number,
  { first = 0, last = bytes - 1 }: ByteRange,
): { first: number; last: number } {
  const isRange = Number.isSafeInteger(first) && Number.isSafeInteger(last) && first >= 0 && first <= last
  if (!isRange || first >= bytes) throw badRange(bytes)
  return { first, last: Math.min(last, bytes - 1) }
}
