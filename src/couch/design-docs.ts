import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf } from '../errors.ts'
import { logger } from '../log.ts'
import type { Database } from './database.ts'

const log = logger('design-docs')

/** The folder that holds one folder of views per database. */
const DESIGN_DOCS = join(import.meta.dirname, '../../couch-design-docs')

interface DesignDoc {
  _id: string
  language: 'javascript'
  views: Record<string, { map: string; reduce?: string }>
}

/** A database's design document, deployed; `inForce` is the name to query, without `_design/`. */
export interface Deployment {
  inForce(): string
  /** Resolves when the newest version answers queries and older ones are gone. */
  readonly switched: Promise<void>
  /** Brings every view in force up to date, so that no reader waits for it. */
  warm(): Promise<void>
}

/**
 * Reads `<folder>/<database>/views/<name>/map.js` (and `reduce.js`, which may name a built-in) as couchapp tools lay
 * them out. The document's name carries a hash of its content, so another version is another document.
 */
async function readDesignDoc(database: string, folder = DESIGN_DOCS): Promise<DesignDoc> {
  const views: DesignDoc['views'] = {}
  const viewsFolder = join(folder, database, 'views')
  for (const name of (await readdir(viewsFolder)).sort()) {
    const map = (await readFile(join(viewsFolder, name, 'map.js'), 'utf8')).trim()
    const reduce = await readFile(join(viewsFolder, name, 'reduce.js'), 'utf8').catch(() => undefined)
    views[name] = { map, ...(reduce === undefined ? {} : { reduce: reduce.trim() }) }
  }
  const hash = createHash('sha256').update(JSON.stringify(views)).digest('hex').slice(0, 12)
  return { _id: `_design/${database}-${hash}`, language: 'javascript', views }
}

/**
 * Deploys a database's design document. When an older version is there it goes on answering while the new one is
 * built, then the new one takes its place and the old ones are removed with their index files.
 */
export async function deployDesignDoc(database: Database, folder = DESIGN_DOCS): Promise<Deployment> {
  const wanted = await readDesignDoc(database.name, folder)
  const { rows } = await database.allDocs({
    startkey: `_design/${database.name}-`,
    endkey: `_design/${database.name}-\ufff0`,
  })
  const there = rows.map(({ key }) => key)
  const older = rows.filter(({ key }) => key !== wanted._id)
  let inForce = nameOf(there.includes(wanted._id) ? wanted._id : (there.at(-1) ?? wanted._id))
  if (!there.includes(wanted._id)) await database.put(wanted)

  const build = async (design: string, views: string[]) => {
    for (const view of views) await database.view(design, view, { limit: 1, reduce: false })
  }
  const finish = async () => {
    if (older.length > 0) await build(nameOf(wanted._id), Object.keys(wanted.views))
    inForce = nameOf(wanted._id)
    for (const { key, value } of older) if (value) await database.delete(key, value.rev)
    if (older.length > 0) await database.viewCleanup()
  }
  const switched = finish()
  switched.catch((error: unknown) =>
    log.error('the new views could not be built', { reason: messageOf(error) }),
  )
  if (there.length === 0 || there.includes(wanted._id)) await switched
  const views = Object.keys(wanted.views)
  return {
    inForce: () => inForce,
    switched,
    warm: () => build(inForce, inForce === nameOf(wanted._id) ? views : []),
  }
}

function nameOf(id: string): string {
  return id.slice('_design/'.length)
}
