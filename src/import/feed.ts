import { parseFeed } from 'feedsmith'
import TurndownService from 'turndown'
import { HyperactiveError, messageOf } from '../errors.ts'
import { parseDate, skip } from './piece.ts'
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
}

const TITLE_WORDS = 12

/**
 * Reads an RSS 2.0 or Atom file. HTML becomes Markdown; each entry is read by itself, so that a bad one does not
 * stop the rest.
 *
 * @throws HyperactiveError `bad_feed` when the file is neither
 */
export function readFeed(name: string, bytes: Uint8Array): Read[] {
  const turndown = new TurndownService({
    headingStyle: 'atx',
    codeBlockStyle: 'fenced',
    bulletListMarker: '-',
  })
  turndown.remove(['script', 'style', 'iframe', 'object', 'noscript'])
  return entriesOf(name, bytes).map((entry, index) => {
    const source = entry.id ?? `${name}#${index + 1}`
    try {
      return fromEntry(source, entry, turndown)
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
      }))
    }
  } catch (error) {
    throw new HyperactiveError('bad_feed', `${name} is not an RSS 2.0 or Atom file: ${messageOf(error)}`, {
      status: 400,
    })
  }
  throw new HyperactiveError('bad_feed', `${name} is not an RSS 2.0 or Atom file`, { status: 400 })
}

function fromEntry(source: string, entry: Entry, turndown: TurndownService): Read {
  const body = entry.html ? turndown.turndown(entry.html).trim() : ''
  if (body === '') return skip(source, 'has no text')
  if (entry.date === undefined) return skip(source, 'has no date')
  const dateMs = parseDate(entry.date)
  if (dateMs === undefined) return skip(source, `its date "${entry.date}" is not one`)
  const title = plainText(entry.title, turndown) ?? body.split(/\s+/).slice(0, TITLE_WORDS).join(' ')
  const summary = plainText(entry.summary, turndown)
  return {
    piece: {
      source,
      title,
      dateMs,
      body,
      tags: entry.categories,
      ...(entry.author ? { author: entry.author } : {}),
      ...(summary ? { summary } : {}),
      ...(entry.language ? { language: entry.language } : {}),
    },
  }
}

function plainText(html: string | undefined, turndown: TurndownService): string | undefined {
  if (!html) return undefined
  const text = turndown
    .turndown(html)
    .replaceAll(/\\([\\`*_{}[\]()#+\-.!])/g, '$1')
    .replaceAll(/\s+/g, ' ')
    .trim()
  return text === '' ? undefined : text
}
