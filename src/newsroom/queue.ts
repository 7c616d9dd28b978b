import { inPieces } from '../pieces.ts'
import { CHANGES } from '../project/site-rows.ts'
import type { Site } from '../project/site.ts'
import type { SiteComment, SiteItem } from '../project/site-item.ts'
import type { Matches } from './filters/matches.ts'
import type { Looked } from './looked.ts'
import type { Reported, Reports } from './reports.ts'
import { changedAt, nameOf, nameOfId, siteIdOf } from './target.ts'
import type { Seen } from './target.ts'

/** The most that is counted, and that can be decided on at once. */
export const MOST_WAITING = 1000
/** Rows of each part of the queue on one page. */
const ROWS = 50
/** The newest changes among which there may be some that nobody has looked at. */
const NEWEST = 200
const AT_ONCE = 100
const LAST = '\ufff0'

/** How much there is for moderators: each is exact up to its bound. */
export interface Counts {
  waiting: number
  reported: number
  matched: number
}

/** One entry of the queue; without a document where the site database has none any more. */
export interface Queued {
  target: string
  document: SiteItem | SiteComment | undefined
  reports: Reported['reports']
  /** The filters that matched, by name. */
  filters: string[]
}

/** One part of the queue as a page shows it. */
export interface QueuePart {
  entries: Queued[]
  more: boolean
}

export interface QueueParts {
  waiting: QueuePart
  reported: QueuePart
  matched: QueuePart
  fresh: QueuePart
}

/** What there is for the moderators of this node: what awaits review, is reported, matched by a filter, or new. */
export class Queue {
  readonly reports: Reports
  readonly matches: Matches
  readonly looked: Looked
  readonly #site: Site

  constructor({
    site,
    reports,
    matches,
    looked,
  }: {
    site: Site
    reports: Reports
    matches: Matches
    looked: Looked
  }) {
    this.#site = site
    this.reports = reports
    this.matches = matches
    this.looked = looked
  }

  async counts(): Promise<Counts> {
    const { waiting, reported, matched } = await this.open()
    return { waiting: waiting.length, reported: reported.length, matched: matched.length }
  }

  /** The names of all that waits for a moderator, in each part up to its bound. */
  async open(): Promise<Record<keyof Counts, string[]>> {
    const [waiting, reported, matched] = await Promise.all([
      this.waiting(),
      this.reports.targets(),
      this.matches.targets(),
    ])
    return { waiting: waiting.map(({ target }) => target), reported, matched }
  }

  /**
   * What awaits review, the oldest first, at most a thousand.
   *
   * @param until a hybrid time: what was published later is left out
   */
  async waiting(until?: string): Promise<Seen[]> {
    const rows = await this.#site.awaitingIds(MOST_WAITING)
    const known = until === undefined ? rows : rows.filter(({ at }) => at <= until)
    return known.map(({ id }) => ({ target: nameOfId(id) }))
  }

  /** What a page shows. */
  async parts(): Promise<QueueParts> {
    const [waiting, reported, matched] = await Promise.all([
      this.#site.awaiting(ROWS + 1),
      this.reports.open(),
      this.matches.open(),
    ])
    const filtersOf = new Map(matched.map(({ target, names }) => [target, names]))
    const entry = (
      target: string,
      document: Queued['document'],
      reports: Queued['reports'] = [],
    ): Queued => ({
      target,
      document,
      reports,
      filters: filtersOf.get(target) ?? [],
    })
    const shownReports = reported.slice(0, ROWS)
    const shownMatches = matched.slice(0, ROWS)
    const found = await this.#documents([...shownReports, ...shownMatches].map(({ target }) => target))
    const listed = new Set([...reported, ...matched].map(({ target }) => target))
    return {
      waiting: {
        entries: waiting.slice(0, ROWS).map((document) => entry(nameOf(document), document)),
        more: waiting.length > ROWS,
      },
      reported: {
        entries: shownReports.map(({ target, reports }) => entry(target, found.get(target), reports)),
        more: reported.length > ROWS,
      },
      matched: {
        entries: shownMatches.map(({ target }) => entry(target, found.get(target))),
        more: matched.length > ROWS,
      },
      fresh: await this.#fresh(listed),
    }
  }

  /** Nothing more is to be done about these: reports and matches are closed, and the versions count as looked at. */
  async close(seen: readonly Seen[]): Promise<void> {
    const latest = await this.#versions(seen.map(({ target }) => target))
    const versions = seen.flatMap(({ target, version = LAST }) => {
      const newest = latest.get(target)
      // Nobody has seen a version that there is not.
      return newest === undefined ? [] : [{ target, version: version < newest ? version : newest }]
    })
    await Promise.all([
      this.reports.close(seen.map(({ target }) => target)),
      this.matches.close(seen),
      this.looked.mark(versions),
    ])
  }

  /** What was published or changed lately and nobody has looked at, nor decided on since. */
  async #fresh(listed: ReadonlySet<string>): Promise<QueuePart> {
    const { rows } = await this.#site.list(CHANGES, { limit: NEWEST })
    const changes = rows.map(({ item, updatedAt }) => ({ target: nameOfId(item), version: updatedAt }))
    const looked = await this.looked.among(changes.map(({ target }) => target))
    const unseen = changes.filter(
      ({ target, version }) => (looked.get(target) ?? '') < version && !listed.has(target),
    )
    const entries: Queued[] = []
    for (const piece of inPieces(unseen, ROWS)) {
      if (entries.length > ROWS) break
      const some = piece.map(({ target }) => target)
      const found = await this.#documents(some)
      for (const target of some) {
        const document = found.get(target)
        if (document && !isDecidedOn(document)) entries.push({ target, document, reports: [], filters: [] })
      }
    }
    return { entries: entries.slice(0, ROWS), more: entries.length > ROWS }
  }

  async #versions(targets: readonly string[]): Promise<Map<string, string>> {
    const versions = new Map<string, string>()
    for (const some of inPieces(targets, AT_ONCE)) {
      for (const [target, document] of await this.#documents(some)) versions.set(target, changedAt(document))
    }
    return versions
  }

  /** Items and comments by name, also those that nobody can read. */
  async #documents(targets: readonly string[]): Promise<Map<string, SiteItem | SiteComment>> {
    const found = new Map<string, SiteItem | SiteComment>()
    const keys = [...new Set(targets)].map(siteIdOf)
    if (keys.length === 0) return found
    const { rows } = await this.#site.database.allDocs({ keys, include_docs: true })
    for (const { doc } of rows) {
      if (doc?.type !== 'item' && doc?.type !== 'comment') continue
      const document = doc as unknown as SiteItem | SiteComment
      found.set(nameOf(document), document)
    }
    return found
  }
}

const LOOKED_AT: ReadonlySet<string> = new Set([
  'hide',
  'unhide',
  'conceal',
  'approve',
  'publish',
  'promote',
  'feature',
])

/** Whether somebody, here or elsewhere, has decided what to think of this version; filters are nobody. */
function isDecidedOn(document: SiteItem | SiteComment): boolean {
  const since = changedAt(document)
  return Object.values(document.decisions).some(
    ({ at, by, action }) => by !== undefined && at >= since && LOOKED_AT.has(action),
  )
}
