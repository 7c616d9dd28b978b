import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { messageOf } from '../errors.ts'
import { logger } from '../log.ts'
import type { Database } from './database.ts'

const log = logger('design-docs')

/** The folder that holds one folder of views per database. */
const DESIGN_DOCS = join(import.meta.dirname, '../../couch-design-docs')
/** Says which version answered last, for a start after an upgrade that was cut off. */
const IN_FORCE = '_local/design-doc'
const RETRY_MS = 5000

interface DesignDoc {
  _id: string
  language: 'javascript'
  views?: Record<string, { map: string; reduce?: string }>
  validate_doc_update?: string
}

export interface DeployOptions {
  /** The folder of design documents. */
  folder?: string
  /** Ends what still goes on in the background. */
  signal?: AbortSignal
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
 * Reads `<folder>/<database>/views/<name>/map.js` (and `reduce.js`, which may name a built-in) and
 * `<folder>/<database>/validate_doc_update.js`, as couchapp tools lay them out. The document's name carries a hash of
 * its content, so another version is another document.
 */
export async function readDesignDoc(database: string, folder = DESIGN_DOCS): Promise<DesignDoc> {
  const path = join(folder, database)
  const views: DesignDoc['views'] = {}
  const names: string[] = await readdir(join(path, 'views')).catch(() => [])
  for (const name of names.sort()) {
    const map = (await readFile(join(path, 'views', name, 'map.js'), 'utf8')).trim()
    const reduce = await readOptional(join(path, 'views', name, 'reduce.js'))
    views[name] = { map, ...(reduce === undefined ? {} : { reduce }) }
  }
  const validate = await readOptional(join(path, 'validate_doc_update.js'))
  const content = {
    ...(Object.keys(views).length > 0 ? { views } : {}),
    ...(validate === undefined ? {} : { validate_doc_update: validate }),
  }
  const hash = createHash('sha256').update(JSON.stringify(content)).digest('hex').slice(0, 12)
  return { _id: `_design/${database}-${hash}`, language: 'javascript', ...content }
}

/**
 * Deploys a database's design document. When an older version is there it goes on answering while the new one is
 * built, also over a restart; then the new one takes its place, and the old ones are removed with their index files.
 */
export async function deployDesignDoc(
  database: Database,
  { folder = DESIGN_DOCS, signal }: DeployOptions = {},
): Promise<Deployment> {
  const wanted = await readDesignDoc(database.name, folder)
  const { rows } = await database.allDocs({
    startkey: `_design/${database.name}-`,
    endkey: `_design/${database.name}-\ufff0`,
  })
  const older = rows.filter(({ key }) => key !== wanted._id)
  if (older.length === rows.length) await database.put(wanted)

  const noted = (await database.get(IN_FORCE))?.inForce
  const answering =
    noted === wanted._id ? undefined : (older.find(({ key }) => key === noted) ?? older.at(-1))
  let inForce = nameOf(answering?.key ?? wanted._id)
  const views = Object.keys(wanted.views ?? {})
  const build = async (design: string) => {
    for (const view of views) await database.view(design, view, { limit: 1, reduce: false })
  }
  const finish = async () => {
    if (answering) await build(nameOf(wanted._id))
    await note(database, wanted._id)
    inForce = nameOf(wanted._id)
    for (const { key, value } of older) if (value) await database.delete(key, value.rev)
    if (older.length > 0) await database.viewCleanup()
  }
  const switched = answering ? persist(finish, signal) : finish()
  if (answering) switched.catch(() => undefined)
  else await switched
  return {
    inForce: () => inForce,
    switched,
    // An older version in force has the views that it has; it is kept until the new one is built.
    warm: () => (inForce === nameOf(wanted._id) ? build(inForce) : Promise.resolve()),
  }
}

/** The design document that last answered a database's queries, by its name without `_design/`, for whoever did not deploy it. */
export async function designInForce(database: Database): Promise<string | undefined> {
  const noted = (await database.get(IN_FORCE))?.inForce
  return typeof noted === 'string' ? nameOf(noted) : undefined
}

/** Does something until it succeeds, or until the signal. */
async function persist(work: () => Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  for (;;) {
    try {
      await work()
      return
    } catch (error) {
      signal?.throwIfAborted()
      log.error('the new views are not built; the old ones go on answering', { reason: messageOf(error) })
      await pause(RETRY_MS, undefined, signal ? { signal } : {})
    }
  }
}

async function note(database: Database, inForce: string): Promise<void> {
  const stored = await database.get(IN_FORCE)
  if (stored?.inForce === inForce) return
  const document = { _id: IN_FORCE, ...(stored ? { _rev: stored._rev } : {}), inForce }
  await database.put(document)
}

async function readOptional(path: string): Promise<string | undefined> {
  try {
    return (await readFile(path, 'utf8')).trim()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

function nameOf(id: string): string {
  return id.slice('_design/'.length)
}
