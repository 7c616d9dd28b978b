import { kindOf } from '../kinds/registry.ts'
import type { ListingPage, ListingRow, Place } from '../project/site.ts'
import type { SiteItem } from '../project/site-item.ts'
import { directionOf, languageName, moment } from './format.ts'
import type { Moment } from './format.ts'
import { renderMarkdown } from './markdown.ts'

const TEASER_LETTERS = 320

/** One entry of a listing, ready for a template. */
export interface Teaser {
  path: string
  title: string
  summary: string
  author: string | undefined
  tags: { name: string; path: string }[]
  language: string
  direction: 'ltr' | 'rtl'
  published: Moment
  clashes: number
}

/** The address of an item on any node; it never changes. */
export function pathOf(kind: string, item: string): string {
  return `/${kindOf(kind)?.path ?? kind}/${item}`
}

export function tagPath(tag: string): string {
  return `/tags/${encodeURIComponent(tag)}`
}

function teaser(row: ListingRow): Teaser {
  return {
    path: pathOf(row.kind, row.item),
    title: row.title,
    summary: shorten(row.summary, TEASER_LETTERS),
    author: row.author,
    tags: tagLinks(row.tags),
    language: row.language,
    direction: directionOf(row.language),
    published: moment(row.at),
    clashes: row.clashes,
  }
}

/** A listing's page with the addresses to page on by. */
export function listing(page: ListingPage, path: string) {
  return {
    entries: page.rows.map(teaser),
    newer: page.newer && `${path}?after=${placeText(page.newer)}`,
    older: page.older && `${path}?before=${placeText(page.older)}`,
  }
}

/** An article's page. */
export function articleModel(item: SiteItem, fields = item.fields) {
  const { title, author, summary, body, tags, language } = fields as Record<string, unknown>
  const languageTag = typeof language === 'string' ? language : 'en'
  const path = pathOf(item.kind, item._id)
  return {
    path,
    title: text(title),
    author: text(author),
    summary: text(summary),
    html: renderMarkdown(text(body)),
    tags: tagLinks(Array.isArray(tags) ? tags.map(String) : []),
    language: languageTag,
    languageName: languageName(languageTag),
    direction: directionOf(languageTag),
    published: moment(item.at),
    updated: item.updatedAt === item.at ? undefined : moment(item.updatedAt),
    versions: Object.keys(item.graph).length,
    clashes: item.clashes.length,
  }
}

/**
 * The history of an item, newest first.
 *
 * @param holdings for each peer whether it holds the newest version; their names stay out of the page
 */
export function historyModel(item: SiteItem, holdings: readonly string[]) {
  const path = pathOf(item.kind, item._id)
  const versions = Object.entries(item.graph)
    .map(([hash, { at, node, note, parents }]) => ({
      hash,
      short: hash.slice(0, 8),
      at,
      saved: moment(at),
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

/** "at_item", as it stands in addresses. */
function placeText({ at, item }: Place): string {
  return encodeURIComponent(`${at}_${item}`)
}

export function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

function tagLinks(tags: readonly string[]): { name: string; path: string }[] {
  return tags.map((name) => ({ name, path: tagPath(name) }))
}

function shorten(long: string, letters: number): string {
  const all = Array.from(long)
  return all.length <= letters ? long : `${all.slice(0, letters).join('').trimEnd()}…`
}
