import { createHash } from 'node:crypto'
import type { Database } from '../../couch/database.ts'
import type { Deployment } from '../../couch/design-docs.ts'
import { inPieces } from '../../pieces.ts'
import type { SiteComment, SiteItem } from '../../project/site-item.ts'
import { dayOf } from '../looked.ts'
import { changedAt, nameOf } from '../target.ts'
import type { Seen } from '../target.ts'
import type { Filter } from './filter.ts'

const AT_ONCE = 100
/** The newest open matches that the office looks at. */
const SHOWN = 500
const LAST = '\ufff0'

/** That a filter has matched an item or comment, and what came of it. */
export interface Match {
  _id: string
  _rev?: string
  type: 'match'
  target: string
  filter: string
  /** The filter's name at that time. */
  name: string
  /** Which text it was, also among edits of one moment. */
  version: string
  changedAt: string
  /** Whether it waits for a moderator. */
  open: boolean
  /** The filter has hidden or tagged it, which it does once. */
  acted: boolean
  at: string
  day: string
}

/** Matches of filters on one target that wait for a moderator. */
export interface Matched {
  target: string
  names: string[]
}

/** Remembers which filter has matched what: for the office, and so that no filter acts twice on one thing. */
export class Matches {
  readonly #database: Database
  readonly #deployment: Pick<Deployment, 'inForce'>

  constructor(database: Database, deployment: Pick<Deployment, 'inForce'>) {
    this.#database = database
    this.#deployment = deployment
  }

  /** What is remembered of these targets, by target and filter: see {@link matchId}. */
  async of(targets: readonly string[]): Promise<Map<string, Match>> {
    const found = new Map<string, Match>()
    for (const some of inPieces(targets, AT_ONCE)) {
      const queries = some.map((target) => ({
        startkey: `match:${target}:`,
        endkey: `match:${target}:${LAST}`,
        include_docs: true,
      }))
      for (const { doc } of (await this.#database.allDocsQueries(queries)).flat())
        if (doc) found.set(doc._id, doc as unknown as Match)
    }
    return found
  }

  /** Remembers matches, also where a moderator has closed an older one in the meantime. */
  async remember(matches: readonly Match[]): Promise<void> {
    for (const some of inPieces(matches, AT_ONCE)) {
      const results = await this.#database.bulkDocs(some)
      const refused = new Set(results.flatMap(({ id, error }) => (error === undefined ? [] : [id])))
      if (refused.size === 0) continue
      const { rows } = await this.#database.allDocs({ keys: [...refused] })
      const revisions = new Map(rows.map(({ key, value }) => [key, value?.deleted ? undefined : value?.rev]))
      const again = some.filter(({ _id }) => refused.has(_id))
      await this.#database.bulkDocs(again.map(({ _rev, ...match }) => withRevision(match, revisions)))
    }
  }

  /** What waits for a moderator, what came last first. */
  async open(): Promise<Matched[]> {
    const query = { descending: true, limit: SHOWN, include_docs: true }
    const { rows } = await this.#database.view<string>(this.#deployment.inForce(), 'matches', query)
    const targets = new Map<string, Matched>()
    for (const { doc } of rows) {
      const { target, name } = doc as unknown as Match
      const known = targets.get(target) ?? { target, names: [] }
      known.names.push(name)
      targets.set(target, known)
    }
    return [...targets.values()]
  }

  /** The targets alone. */
  async targets(): Promise<string[]> {
    const query = { descending: true, limit: SHOWN }
    const { rows } = await this.#database.view<string>(this.#deployment.inForce(), 'matches', query)
    return [...new Set(rows.map(({ value }) => value))]
  }

  /** Closes what matched in the versions that were seen, or before. */
  async close(seen: readonly Seen[]): Promise<void> {
    const versions = new Map(seen.map(({ target, version }) => [target, version]))
    const open = [...(await this.of([...versions.keys()])).values()].filter(({ open, target, changedAt }) => {
      const version = versions.get(target)
      return open && (version === undefined || changedAt <= version)
    })
    const day = dayOf(Date.now())
    // One that a filter opens again at this moment stays open.
    for (const some of inPieces(open, AT_ONCE))
      await this.#database.bulkDocs(some.map((match) => ({ ...match, open: false, day })))
  }
}

function withRevision(match: Match, revisions: ReadonlyMap<string, string | undefined>): Match {
  const _rev = revisions.get(match._id)
  return _rev === undefined ? match : { ...match, _rev }
}

export function matchId(target: string, filter: string): string {
  return `match:${target}:${filter}`
}

/** Tells the texts of an item apart: another edit, also one that comes late, makes another one. */
export function textVersion(document: SiteItem | SiteComment): string {
  if (document.type === 'comment') return document.hash
  return createHash('sha256').update(document.heads.join(' ')).digest('hex').slice(0, 40)
}

/** A match as it is remembered anew, over what was remembered before. */
export function newMatch(
  filter: Filter,
  document: SiteItem | SiteComment,
  before: Match | undefined,
  { open, acted }: Pick<Match, 'open' | 'acted'>,
  nowMs = Date.now(),
): Match {
  const target = nameOf(document)
  return {
    _id: matchId(target, filter.id),
    ...(before?._rev === undefined ? {} : { _rev: before._rev }),
    type: 'match',
    target,
    filter: filter.id,
    name: filter.name,
    version: textVersion(document),
    changedAt: changedAt(document),
    open,
    acted,
    at: new Date(nowMs).toISOString(),
    day: dayOf(nowMs),
  }
}
