import type { Wording } from '../i18n/wording.ts'
import { directionOf } from '../i18n/direction.ts'
import type { Moment } from '../i18n/wording.ts'
import { kindOf } from '../kinds/base/registry.ts'
import { CATEGORIES } from '../newsroom/categories.ts'
import type { CommentRow, ListingPage, ListingRow, Place } from '../project/site-rows.ts'
import type { Plays, SiteItem } from '../project/site-item.ts'
import { filePath, isOfFiles } from './files.ts'
import { renderMarkdown } from './markdown.ts'

/** A name that leads somewhere, such as a tag. */
export interface NamedLink {
  name: string
  path: string
}

/** One entry of a listing, ready for a template. Addresses are without a language's prefix. */
export interface Teaser {
  kind: string
  path: string
  title: string
  summary: string
  author: string | undefined
  authorPath: string
  tags: NamedLink[]
  places: NamedLink[]
  language: string
  direction: 'ltr' | 'rtl'
  published: Moment
  updated: Moment | undefined
  clashes: number
  status: string
  comments: number
  /** The picture that stands for it. */
  cover: TeaserCover | undefined
  /** The row itself, for what only some kinds show. */
  row: ListingRow
}

/** A small picture beside a title. */
export interface TeaserCover {
  path: string
  width: number | undefined
  height: number | undefined
  alt: string
  /** What the picture is a still of. */
  plays: Plays | undefined
}

/** The address of an item on any node; it never changes. */
export function pathOf(kind: string, item: string): string {
  return `/${kindOf(kind)?.path ?? kind}/${item}`
}

export function termPath(vocabulary: 'tag' | 'place', name: string): string {
  return `/${vocabulary}s/${encodeURIComponent(name)}`
}

export function authorPath(name: string): string {
  return `/authors/${encodeURIComponent(name)}`
}

/** @param comments how many there are on each item that has any */
export function teaser(row: ListingRow, wording: Wording, comments?: ReadonlyMap<string, number>): Teaser {
  const { tags, places, language, summary, title, clashes } = row
  const onItem = row.of ?? row.item
  return {
    kind: row.kind,
    path:
      row.of === undefined
        ? pathOf(row.kind, row.item)
        : `/comments/${row.item.split(':').slice(1).join('/')}`,
    title,
    summary,
    author: row.author,
    authorPath: row.author === undefined ? '' : authorPath(row.author),
    tags: links('tag', tags),
    places: links('place', places),
    language,
    direction: directionOf(language),
    published: wording.moment(row.at, row.dayOnly),
    updated: row.updatedAt === row.at ? undefined : wording.moment(row.updatedAt, row.dayOnly),
    clashes,
    status: row.status,
    comments: comments?.get(onItem) ?? 0,
    cover: teaserCover(row),
    row,
  }
}

function teaserCover({ kind, cover, plays = [] }: ListingRow): TeaserCover | undefined {
  if (!cover) return undefined
  const picture = cover.small ?? cover
  const { width, height } = picture
  // A story with a recording is not one.
  const still = isOfFiles(kind) ? plays.at(-1) : undefined
  return { path: filePath(picture), width, height, alt: cover.alt ?? '', plays: still }
}

/** A listing's page with the addresses to page on by. */
export function listing(
  page: ListingPage,
  path: string,
  wording: Wording,
  comments?: ReadonlyMap<string, number>,
) {
  return {
    entries: page.rows.map((row) => teaser(row, wording, comments)),
    newer: page.newer && `${path}?after=${placeText(page.newer)}`,
    older: page.older && `${path}?before=${placeText(page.older)}`,
  }
}

/** An item's page, of its merged fields or of those of one version. */
export function itemModel(item: SiteItem, wording: Wording, fields = item.fields) {
  const { title, author, summary, body, tags, places, language } = fields as Record<string, unknown>
  const languageTag = text(language) || 'en'
  const path = pathOf(item.kind, item._id)
  return {
    item: item._id,
    kind: item.kind,
    path,
    title: text(title),
    author: text(author),
    authorPath: authorPath(text(author)),
    summary: text(summary),
    html: renderMarkdown(text(body)),
    // What is listed goes by the names that editors gave; a version shows what was typed.
    tags: links('tag', fields === item.fields ? item.listing.tags : texts(tags)),
    places: links('place', fields === item.fields ? item.listing.places : texts(places)),
    language: languageTag,
    languageName: wording.languageName(languageTag),
    direction: directionOf(languageTag),
    published: wording.moment(item.at, item.listing.dayOnly),
    updated: item.updatedAt === item.at ? undefined : wording.moment(item.updatedAt, item.listing.dayOnly),
    versions: Object.keys(item.graph).length,
    clashes: item.clashes.length,
    status: item.standing.status,
    hidden: item.standing.hidden,
    reason: item.standing.reason,
    category: reasonNamed(item.standing.category),
    fields,
  }
}

/** A category of reasons that pages have a word for. */
export function reasonNamed(category: string | undefined): string | undefined {
  return (CATEGORIES as readonly string[]).includes(category ?? '') ? category : undefined
}

/**
 * The history of an item, newest first.
 *
 * @param holdings for each peer whether it holds the newest version; their names stay out of the page
 */
export function historyModel(item: SiteItem, holdings: readonly string[], wording: Wording) {
  const path = pathOf(item.kind, item._id)
  const versions = Object.entries(item.graph)
    .map(([hash, { at, node, note, parents }]) => ({
      hash,
      short: hash.slice(0, 8),
      at,
      saved: wording.moment(at, item.listing.dayOnly),
      node: node.slice(0, 8),
      note,
      head: item.heads.includes(hash),
      merge: parents.length > 1,
      path: `${path}/versions/${hash}`,
      changes: parents
        .filter((parent) => parent in item.graph)
        .map((parent) => `${path}/changes/${parent}/${hash}`),
    }))
    .sort((a, b) => (a.at === b.at ? (a.hash < b.hash ? 1 : -1) : a.at < b.at ? 1 : -1))
  const arrived = { on: holdings.filter((holding) => holding === 'yes').length, of: holdings.length }
  return { path, title: item.listing.title, versions, heads: item.heads.length, arrived }
}

/** One comment with the answers to it. */
export interface Thread {
  hash: string
  author: string
  title: string
  html: string
  at: Moment
  path: string
  answers: Thread[]
}

/** Comments as threads one level deep: an answer to an answer stands under the comment that began the thread. */
export function threads(item: string, comments: readonly CommentRow[], wording: Wording): Thread[] {
  const byHash = new Map(comments.map((comment) => [comment.hash, comment]))
  const rootOf = (comment: CommentRow): string => {
    let root = comment
    for (const seen = new Set([root.hash]); root.inReplyTo !== undefined;) {
      const parent = byHash.get(root.inReplyTo)
      if (!parent || seen.has(parent.hash)) break
      seen.add(parent.hash)
      root = parent
    }
    return root.hash
  }
  const found = new Map<string, Thread>()
  const answers: [string, Thread][] = []
  for (const comment of comments) {
    const root = rootOf(comment)
    const thread = threadOf(item, comment, wording)
    if (root === comment.hash) found.set(root, thread)
    else answers.push([root, thread])
  }
  for (const [root, thread] of answers) found.get(root)?.answers.push(thread)
  return [...found.values()]
}

function threadOf(item: string, { hash, at, fields }: CommentRow, wording: Wording): Thread {
  return {
    hash,
    author: text(fields.author),
    title: text(fields.title),
    html: renderMarkdown(text(fields.body)),
    at: wording.moment(at),
    path: `/comments/${item}/${hash}`,
    answers: [],
  }
}

/** "at_item", as it stands in addresses. */
export function placeText({ at, item }: Place): string {
  return encodeURIComponent(`${at}_${item}`)
}

export function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

export function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : []
}

export function links(vocabulary: 'tag' | 'place', names: readonly string[]): NamedLink[] {
  return names.map((name) => ({ name, path: termPath(vocabulary, name) }))
}
