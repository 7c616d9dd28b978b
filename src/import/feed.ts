import { parseFeed } from 'feedsmith'
import { HyperactiveError, messageOf } from '../errors.ts'
import { htmlReader } from './html.ts'
import type { HtmlReader } from './html.ts'
import { aliasOf, parseDate, skip } from './piece.ts'
import type { Read } from './piece.ts'

/** What RSS and Atom entries have in common. */
interface Entry {
  id?: string | undefined
  title?: string | undefined
  date?: string | undefined
  author?: string | undefined
  summary?: string | undefined
  html?: string | undefined
  categories: string[]
  language?: string | undefined
  link?: string | undefined
}

const TITLE_WORDS = 12

/**
 * Reads an RSS 2.0 or Atom file. HTML becomes Markdown; each entry is read by itself, so that a bad one does not
 * stop the rest.
 *
 * @throws HyperactiveError `bad_feed` when the file is neither
 */
export function readFeed(name: string, bytes: Uint8Array): Read[] {
  const html = htmlReader()
  return entriesOf(name, bytes).map((entry, index) => {
    const source = entry.id ?? `${name}#${index + 1}`
    try {
      return fromEntry(source, entry, html)
    } catch (error) {
      return skip(source, `cannot be read: ${messageOf(error)}`)
    }
  })
}

function entriesOf(name: string, bytes: Uint8Array): Entry[] {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    const { format, feed } = parseFeed(text)
    if (format === 'rss') {
      return (feed.items ?? []).map((item) => ({
        id: item.guid?.value ?? item.link,
        title: item.title,
        date: item.pubDate ?? item.dc?.dates?.[0],
        author: item.dc?.creators?.[0] ?? item.authors?.[0]?.name,
        summary: item.content?.encoded === undefined ? undefined : item.description,
        html: item.content?.encoded ?? item.description,
        categories: (item.categories ?? []).flatMap((category) => category.name ?? []),
        language: feed.language,
        link: item.link,
      }))
    }
    if (format === 'atom') {
      return (feed.entries ?? []).map((entry) => ({
        id: entry.id,
        title: entry.title?.value,
        date: entry.published ?? entry.updated,
        author: entry.authors?.[0]?.name,
        summary: entry.content?.value === undefined ? undefined : entry.summary?.value,
        html: entry.content?.value ?? entry.summary?.value,
        categories: (entry.categories ?? []).flatMap((category) => category.term ?? []),
        link: entry.links?.find(({ rel }) => rel === undefined || rel === 'alternate')?.href,
      }))
    }
  } catch (error) {
    throw new HyperactiveError('bad_feed', `${name} is not an RSS 2.0 or Atom file: ${messageOf(error)}`, {
      status: 400,
    })
  }
  throw new HyperactiveError('bad_feed', `${name} is not an RSS 2.0 or Atom file`, { status: 400 })
}

function fromEntry(source: string, entry: Entry, { markdown, plain }: HtmlReader): Read {
  const body = entry.html ? markdown(entry.html) : ''
  if (body === '') return skip(source, 'has no text')
  if (entry.date === undefined) return skip(source, 'has no date')
  const dateMs = parseDate(entry.date)
  if (dateMs === undefined) return skip(source, `its date "${entry.date}" is not one`)
  const title = plain(entry.title) ?? body.split(/\s+/).slice(0, TITLE_WORDS).join(' ')
  const summary = plain(entry.summary)
  const alias = aliasOf(entry.link)
  return {
    piece: {
      source,
      title,
      dateMs,
      body,
      tags: entry.categories,
      ...(entry.author ? { author: entry.author } : {}),
      ...(summary ? { summary } : {}),
      ...(alias === undefined ? {} : { aliases: [alias] }),
      ...(entry.language ? { language: entry.language } : {}),
    },
  }
}
