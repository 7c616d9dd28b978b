import { createHash } from 'node:crypto'
import { noteDocuments } from '../reads.ts'
import type { Database, StoredDocument } from '../couch/database.ts'
import type { FeedEntry } from './read-feed.ts'

const PREFIX = 'feed:'
const LAST = `${PREFIX}\ufff0`

/** Why a feed could not be pulled last time. */
export interface FeedFailure {
  /** As in docs/errors.md; `feed_status_<status>` for an HTTP status. */
  code: string
  /** ISO 8601: the first failure since it was pulled last, and when it is tried again. */
  since: string
  next: string
  /** How often it has failed since then. */
  tries: number
}

/**
 * What this node knows of one external feed. It lives in the site database beside what the projector writes, which does
 * not look at it, and goes with it: what is lost is pulled again.
 */
export interface FeedDocument {
  /** "feed:<SHA-256 of the address>" */
  _id: string
  type: 'feed'
  /** As a group names it. */
  address: string
  title: string
  entries: FeedEntry[]
  etag?: string
  lastModified?: string
  /** ISO 8601: when the feed gave this, within some hours; absent when it never gave anything. */
  fetchedAt?: string
  failure?: FeedFailure
}

export function feedId(address: string): string {
  return PREFIX + createHash('sha256').update(address).digest('hex')
}

/** The feeds at these addresses, in their order; what has not been asked for yet is left out. */
export async function feedsOf(site: Database, addresses: readonly string[]): Promise<FeedDocument[]> {
  return readFeeds(
    site,
    addresses.map((address) => feedId(address)),
  )
}

/** The same by ids. */
export async function readFeeds(site: Database, ids: readonly string[]): Promise<FeedDocument[]> {
  if (ids.length === 0) return []
  noteDocuments(ids)
  const { rows } = await site.allDocs({ keys: [...ids], include_docs: true })
  return rows.flatMap(({ doc }) => (doc?.type === 'feed' ? [withoutRevision(doc)] : []))
}

/** Ids and revisions of all feeds that are kept. */
export async function listFeeds(site: Database): Promise<Map<string, string>> {
  const { rows } = await site.allDocs({ startkey: PREFIX, endkey: LAST })
  return new Map(rows.map(({ key, value }) => [key, value?.rev ?? '']))
}

/** Writes a feed over what was there. */
export async function writeFeed(site: Database, document: FeedDocument): Promise<void> {
  const stored = await site.get(document._id)
  await site.put(stored ? { ...document, _rev: stored._rev } : document)
}

function withoutRevision({ _rev, ...document }: StoredDocument): FeedDocument {
  return document as unknown as FeedDocument
}
