import type { Emitted, MapFunctions } from '../../couch/embedded/map-functions.ts'
import { changedRowParts, partOf, ROW_PARTS } from '../../shown.ts'
import type { RowPart } from '../../shown.ts'

/** A row of a view that came, went, or shows something else. */
export interface ChangedRow {
  /** Its view, or the part of the view's rows that differs. */
  view: string
  /** Its key as it sorts. */
  ordered: string
}

/**
 * Which rows of the views a document's change touches: those that it emitted before and does not emit any more, new ones,
 * and those whose value differs. What stays as it was is not among them, whatever else in the document has changed; nor
 * are the parts of a row that stay as they were. Pure.
 */
export function changedRows(
  before: object | undefined,
  after: object | undefined,
  { functions, names }: { functions: MapFunctions; names: readonly string[] },
): ChangedRow[] {
  const [old, fresh] = [before, after].map((document) => rowsOf(document ? functions.run(document) : []))
  const changed: ChangedRow[] = []
  const done = new Set<string>()
  for (const [place, row] of [...(old ?? []), ...(fresh ?? [])]) {
    const [was, is] = [old?.get(place), fresh?.get(place)]
    if (was?.value === is?.value || done.has(place)) continue
    done.add(place)
    for (const part of [undefined, ...partsIn(was, is)])
      changed.push({ view: partOf(names[row.view] ?? '', part), ordered: row.ordered })
  }
  return changed
}

/** The parts that differ; all of them where a row's value has none. */
function partsIn(was: Emitted | undefined, is: Emitted | undefined): readonly RowPart[] {
  const [before, after] = [was, is].map((row) => row && objectIn(row.value))
  return before === null || after === null ? ROW_PARTS : changedRowParts(before, after)
}

function objectIn(json: string): object | null {
  // Several rows of one place are told apart by nobody.
  if (json.includes('\n')) return null
  const value: unknown = JSON.parse(json)
  return typeof value === 'object' ? value : null
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
