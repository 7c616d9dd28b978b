import type { IndexChanges, IndexEntry } from '../search/search-index.ts'
import { plainTextOf } from '../pages/plain-text.ts'
import type { SiteComment, SiteDocument, SiteItem } from './site-item.ts'

/** What the index is told of these site documents: those that are shown are put, others are removed. */
export function indexChanges(documents: readonly SiteDocument[]): IndexChanges {
  const put: IndexEntry[] = []
  const remove: string[] = []
  for (const document of documents) {
    // Design documents are among what is read from the database, and have no type.
    if (document.type === 'awaited') remove.push(document._id)
    if (document.type !== 'item' && document.type !== 'comment') continue
    if (document.standing.hidden) remove.push(document._id)
    else put.push(document.type === 'item' ? itemEntry(document) : commentEntry(document))
  }
  return { put, remove }
}

function itemEntry({ _id, kind, at, updatedAt, fields, listing, sections }: SiteItem): IndexEntry {
  const { tags, places, author, group, language } = listing
  const counts: [string, string][] = [
    ['kind', kind],
    ['language', language],
    ...tags.map((name): [string, string] => ['tag', name]),
    ...places.map((name): [string, string] => ['place', name]),
  ]
  if (author !== undefined) counts.push(['author', author])
  if (group !== undefined) counts.push(['group', group])
  if (sections.includes('newswire')) counts.push(['year', at.slice(0, 4)], ['month', at.slice(0, 7)])
  return {
    id: _id,
    item: _id,
    kind,
    at,
    updatedAt,
    language,
    title: listing.title,
    summary: typeof fields.summary === 'string' ? fields.summary : '',
    body: typeof fields.body === 'string' ? plainTextOf(fields.body) : '',
    ...(author === undefined ? {} : { author }),
    tags,
    places,
    ...(group === undefined ? {} : { group }),
    counts,
  }
}

function commentEntry({ _id, item, at, fields }: SiteComment): IndexEntry {
  const { author, title, body } = fields as Record<string, string | undefined>
  return {
    id: _id,
    item,
    kind: 'comment',
    at,
    updatedAt: at,
    language: '',
    title: title ?? '',
    summary: '',
    body: plainTextOf(body ?? ''),
    ...(author === undefined ? {} : { author }),
    tags: [],
    places: [],
    counts: [['comments', item]],
  }
}
