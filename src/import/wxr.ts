import { XMLParser } from 'fast-xml-parser'
import { HyperactiveError, messageOf } from '../errors.ts'
import { htmlReader } from './html.ts'
import type { HtmlReader } from './html.ts'
import { aliasOf, parseDate, skip } from './piece.ts'
import type { Piece, PieceComment, Read } from './piece.ts'

const MARK = 'http://wordpress.org/export/'
const TITLE_WORDS = 12
/** What WordPress publishes, and the kind that it becomes. */
const KINDS: Readonly<Record<string, string>> = { post: 'article', page: 'page' }
/** Blocks that WordPress leaves as they are where it makes paragraphs of blank lines. */
const BLOCK =
  /^\s*<\/?(?:p|div|ul|ol|li|table|pre|blockquote|h[1-6]|figure|hr|section|article|form|address|!--)/i

type Node = Readonly<Record<string, unknown>>

/** Whether an XML file is an export of WordPress (WXR), by its beginning. */
export function isWxr(bytes: Uint8Array): boolean {
  return new TextDecoder().decode(bytes.subarray(0, 4_000)).includes(MARK)
}

/**
 * Reads an export of WordPress (WXR 1.x): posts and pages that are published, with tags, categories, the names of
 * authors, and comments that were approved. Old addresses become aliases. E-mail and IP addresses are not read.
 *
 * @throws HyperactiveError `bad_feed` when the file is no XML
 */
export function readWxr(name: string, bytes: Uint8Array): Read[] {
  const channel = channelOf(name, bytes)
  const html = htmlReader()
  const authors = new Map(
    list(channel['wp:author']).map((author) => [
      text(author['wp:author_login']),
      text(author['wp:author_display_name']),
    ]),
  )
  const language = text(channel.language)
  return list(channel.item).map((item, index) => {
    const id = text(item['wp:post_id'])
    const source = text(item.guid) || text(item.link) || `${name}#${id || index + 1}`
    try {
      return fromItem(source, item, { html, authors, language })
    } catch (error) {
      return skip(source, `cannot be read: ${messageOf(error)}`)
    }
  })
}

function channelOf(name: string, bytes: Uint8Array): Node {
  try {
    const xml = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    const parser = new XMLParser({
      ignoreAttributes: false,
      attributeNamePrefix: '@',
      parseTagValue: false,
      parseAttributeValue: false,
      // Only the five entities of XML and numbers: what a file defines of its own may multiply.
      processEntities: true,
      htmlEntities: false,
      isArray: (tag) => ['item', 'category', 'wp:comment', 'wp:author'].includes(tag),
    })
    const { rss } = parser.parse(xml, true) as { rss?: { channel?: Node } }
    if (rss?.channel) return rss.channel
  } catch (error) {
    throw new HyperactiveError('bad_feed', `${name} is not XML: ${messageOf(error)}`, { status: 400 })
  }
  throw new HyperactiveError('bad_feed', `${name} is an export of WordPress without a channel`, {
    status: 400,
  })
}

interface Around {
  html: HtmlReader
  authors: ReadonlyMap<string, string>
  language: string
}

function fromItem(source: string, item: Node, { html, authors, language }: Around): Read {
  const type = text(item['wp:post_type'])
  const kind = KINDS[type]
  if (!kind)
    return skip(source, type === 'attachment' ? 'is a media file' : `is of the type "${type.slice(0, 30)}"`)
  const status = text(item['wp:status'])
  if (status !== 'publish') return skip(source, `is not public (${status.slice(0, 30) || 'no status'})`)
  if (text(item['wp:post_password']) !== '') return skip(source, 'has a password')
  const body = html.markdown(withParagraphs(text(item['content:encoded'])))
  if (body === '') return skip(source, 'has no text')
  const dateMs = dateOf(item['wp:post_date_gmt'], item['wp:post_date'], item.pubDate)
  if (dateMs === undefined) return skip(source, 'has no date')
  const login = text(item['dc:creator'])
  const author = authors.get(login) || login
  const summary = html.plain(text(item['excerpt:encoded']))
  const alias = aliasOf(text(item.link))
  const tags = list(item.category)
    .filter((category) => ['post_tag', 'category'].includes(text(category['@domain'])))
    .map(text)
    .filter((tag) => tag !== '' && tag !== 'Uncategorized')
  const comments = list(item['wp:comment']).flatMap((comment) => commentOf(comment, html) ?? [])
  const piece: Piece = {
    source,
    kind,
    title: html.plain(text(item.title)) ?? body.split(/\s+/).slice(0, TITLE_WORDS).join(' '),
    dateMs,
    body,
    tags,
    ...(author === '' ? {} : { author }),
    ...(summary === undefined ? {} : { summary }),
    ...(language === '' ? {} : { language }),
    ...(alias === undefined ? {} : { aliases: [alias] }),
    ...(comments.length > 0 ? { comments } : {}),
    ...(text(item['wp:comment_status']) === 'closed' && kind === 'article'
      ? { more: { commentsClosed: true } }
      : {}),
    ...(text(item['wp:is_sticky']) === '1' ? { decided: ['stick'] } : {}),
  }
  return { piece }
}

/** Comments that were approved; pings from other sites are none. */
function commentOf(comment: Node, html: HtmlReader): PieceComment | undefined {
  if (text(comment['wp:comment_approved']) !== '1') return undefined
  if (!['', 'comment'].includes(text(comment['wp:comment_type']))) return undefined
  const body = html.markdown(withParagraphs(text(comment['wp:comment_content'])))
  const dateMs = dateOf(comment['wp:comment_date_gmt'], comment['wp:comment_date'])
  if (body === '' || dateMs === undefined) return undefined
  const author = html.plain(text(comment['wp:comment_author']))
  const parent = text(comment['wp:comment_parent'])
  return {
    name: text(comment['wp:comment_id']),
    dateMs,
    body,
    ...(author === undefined ? {} : { author }),
    ...(parent === '' || parent === '0' ? {} : { inReplyTo: parent }),
  }
}

/** The first of several dates that is one; WordPress writes "0000-00-00 00:00:00" where it has none. */
function dateOf(...values: unknown[]): number | undefined {
  return values.map((value) => parseDate(text(value))).find((dateMs) => dateMs !== undefined)
}

/** WordPress keeps text in which blank lines part paragraphs, and makes the HTML when it shows it. */
function withParagraphs(content: string): string {
  if (/<p[\s>]/i.test(content)) return content
  return content
    .split(/\n\s*\n/)
    .map((block) => (BLOCK.test(block) ? block : `<p>${block.trim().replaceAll('\n', '<br>')}</p>`))
    .join('\n')
}

function list(value: unknown): Node[] {
  const entries: unknown[] = Array.isArray(value) ? value : value === undefined ? [] : [value]
  return entries.map(
    (entry) => (typeof entry === 'object' && entry !== null ? entry : { '#text': entry }) as Node,
  )
}

/** The text of an element, with or without attributes. */
function text(value: unknown): string {
  if (typeof value === 'string') return value.trim()
  if (typeof value === 'object' && value !== null && '#text' in value) return text(value['#text'])
  return ''
}
