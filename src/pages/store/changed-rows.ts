import type { Emitted, MapFunctions } from '../../couch/embedded/map-functions.ts'

/** A row of a view that came, went, or shows something else. */
export interface ChangedRow {
  view: string
  /** Its key as it sorts. */
  ordered: string
}

/**
 * Which rows of the views a document's change touches: those that it emitted before and does not emit any more, new ones,
 * and those whose value differs. What stays as it was is not among them, whatever else in the document has changed. Pure.
 */
export function changedRows(
  before: object | undefined,
  after: object | undefined,
  { functions, names }: { functions: MapFunctions; names: readonly string[] },
): ChangedRow[] {
  const [old, fresh] = [before, after].map((document) => rowsOf(document ? functions.run(document) : []))
  const changed: ChangedRow[] = []
  for (const [place, row] of [...(old ?? []), ...(fresh ?? [])]) {
    if (old?.get(place)?.value === fresh?.get(place)?.value) continue
    changed.push({ view: names[row.view] ?? '', ordered: row.ordered })
  }
  return changed
}

/** By view and key: a document may emit one key several times, so the values of one place stand together. */
function rowsOf(emitted: readonly Emitted[]): Map<string, Emitted> {
  const rows = new Map<string, Emitted>()
  for (const row of emitted) {
    const place = `${row.view} ${row.ordered}`
    const known = rows.get(place)
    rows.set(place, known ? { ...known, value: `${known.value}\n${row.value}` } : row)
  }
  return rows
}
