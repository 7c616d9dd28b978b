import { setTimeout as pause } from 'node:timers/promises'
import type { Database } from './database.ts'

const LOOK_EVERY_MS = 200

/**
 * Takes what was deleted off the disk: compacts a database and the files of its views, and returns when that has ended.
 * The views have to be up to date before: what they emitted for a document goes when they learn that it is gone.
 *
 * @throws what CouchDB answers, such as `couch_401` to a user who may not compact
 */
export async function compactWhole(database: Database, signal: AbortSignal): Promise<void> {
  const designs = await designsOf(database)
  await database.compact()
  for (const design of designs) await database.compactViews(design)
  await database.viewCleanup()
  for (;;) {
    const states = await Promise.all([
      database.info(),
      ...designs.map((design) => database.designInfo(design)),
    ])
    if (states.every(({ compact_running: isRunning }) => !isRunning)) return
    await pause(LOOK_EVERY_MS, undefined, { signal })
  }
}

async function designsOf(database: Database): Promise<string[]> {
  const range = { startkey: '_design/', endkey: '_design0', include_docs: true }
  const { rows } = await database.allDocs(range)
  return rows.filter(({ doc }) => doc?.views !== undefined).map(({ key }) => key.slice('_design/'.length))
}
