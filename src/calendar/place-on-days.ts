/** Anything that touches the days from `day` to `lastDay`. */
interface Spanning {
  day: string
  lastDay: string
}

/** Puts rows on each of the days that they touch, in the rows' order. */
export function placeOnDays<Row extends Spanning>(
  rows: readonly Row[],
  days: readonly string[],
): { day: string; rows: Row[] }[] {
  return days.map((day) => ({ day, rows: rows.filter((row) => row.day <= day && day <= row.lastDay) }))
}
