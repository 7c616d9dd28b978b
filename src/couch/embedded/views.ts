import { CouchAnswer } from './answers.ts'
import type { OpenDatabase } from './databases.ts'
import { answerMapView } from './map-views.ts'
import type { ViewAnswer } from './map-views.ts'
import type { Range } from './ranges.ts'
import { queryReduceView } from './reduce-views.ts'

/** Removes the files of views that no design document has any more. */
export async function cleanUpViews({ pouch, indexes }: OpenDatabase): Promise<void> {
  await Promise.all([pouch.viewCleanup(), indexes.cleanUp()])
}

/**
 * Answers a view as CouchDB does.
 *
 * @throws CouchAnswer 404 for a view that is not there, 400 for parameters that do not go together
 */
export async function queryView(
  { pouch, indexes }: OpenDatabase,
  designName: string,
  viewName: string,
  range: Range,
): Promise<ViewAnswer> {
  const design = await indexes.design(designName)
  if (design.reduceViews.has(viewName)) {
    const { rows, ...rest } = (await queryReduceView(pouch, `${designName}/${viewName}`, range)) as {
      rows: object[]
    }
    return { rest, pages: onePage(rows) }
  }
  const view = design.mapViews.findIndex(({ name }) => name === viewName)
  if (view === -1) throw new CouchAnswer(404, 'not_found', 'missing_named_view')
  if (range.reduce === true || range.group || range.group_level !== undefined) {
    throw new CouchAnswer(400, 'query_parse_error', 'Reduce is invalid for map-only views.')
  }
  return indexes.use(design, async (index) => {
    if (range.update === 'lazy') {
      // Whatever fails is met again by the next query that waits for it.
      setImmediate(() => void index.update().catch(() => {}))
    } else if (range.update !== 'false') {
      await index.update()
    }
    return answerMapView(pouch, index, view, range)
  })
}

async function* onePage(rows: object[]): AsyncGenerator<object[]> {
  yield rows
}
