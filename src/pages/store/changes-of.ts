import { MapFunctions } from '../../couch/embedded/map-functions.ts'
import type { Written } from '../../project/site-writer.ts'
import { changedRows } from './changed-rows.ts'
import type { ChangedRow } from './changed-rows.ts'
import { changedDocumentParts, partOf } from '../../shown.ts'
import type { Change } from './dependencies.ts'

/** Says what documents of the site database change for pages, by the map functions of its views. */
export class ChangesOf {
  readonly functions: MapFunctions
  readonly names: readonly string[]

  /** @param onThrow told when a map function threw, so that rows are unknown and everything may have changed */
  constructor(views: Readonly<Record<string, { map: string }>>, onThrow: () => void) {
    this.names = Object.keys(views)
    const maps = Object.entries(views).map(([name, { map }]) => ({ name, map }))
    this.functions = new MapFunctions(maps, onThrow)
  }

  of({ documents, names }: Written): Change {
    const rows: ChangedRow[] = []
    for (const { before, after } of documents) rows.push(...changedRows(before, after, this))
    return { documents: changedDocuments(documents), rows, names }
  }
}

/** The ids of documents that were written, and the names of their parts that are others now. */
export function changedDocuments(documents: Written['documents']): string[] {
  return documents.flatMap(({ id, before, after }) => [
    id,
    ...changedDocumentParts(before, after).map((part) => partOf(id, part)),
  ])
}
