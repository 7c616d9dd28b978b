import type { StoredPage } from '../../src/pages/store/stored-page.ts'
import { unescapeHtml } from './forms.ts'
import type { NodeHere } from './node-here.ts'

/** Pages that are asked for at the same time. */
const AT_ONCE = 4
/** A form, a page of one person, or what is not of this site's text. */
const NOT_READ =
  /^\/(publish|comments|report|sign-in|search|office|moderate|erase|account|assets|opensearch|api)\b|\/(edit|published|withdraw|resolve|publish|members)(\/|$)/
/** Pages of these interface languages are read, of the others none. */
const LANGUAGES = /^\/(?!ar(\/$|\/newswire$|\/calendar$)|es\/$)(en|es|de|fr|ar)(\/|$)/
/** A cookie of nobody's session: its answer is neither taken from the kept pages nor kept. */
const NOBODY = `hyperactive=${'n'.repeat(43)}`

export interface CrawlOptions {
  from?: readonly string[]
  /** Most pages of one sort, such as days of a calendar. */
  ofASort?: number
  most?: number
}

/** What reading leads to from the front page: addresses with the status of their answers. */
export async function crawl(
  node: NodeHere,
  { from = [], ofASort = 30, most = 400 }: CrawlOptions = {},
): Promise<Map<string, number>> {
  const found = new Map<string, number>()
  const sorts = new Map<string, number>()
  const waiting: string[] = []
  const add = (address: string) => {
    const path = unescapeHtml(address.replace(node.address, '')).replace(/#.*/, '') || '/'
    if (!path.startsWith('/') || path.startsWith('//') || found.has(path) || found.size >= most) return
    if (NOT_READ.test(path) || LANGUAGES.test(path)) return
    const sort = sortOf(path)
    const count = sorts.get(sort) ?? 0
    if (count >= ofASort) return
    sorts.set(sort, count + 1)
    found.set(path, 0)
    waiting.push(path)
  }
  for (const path of ['/', ...from]) add(path)
  const read = async () => {
    for (let path = waiting.shift(); path !== undefined; path = waiting.shift()) {
      const answer = await node.page(path)
      found.set(path, answer.status)
      const text = await answer.text()
      for (const [, html, xml] of text.matchAll(/href="([^"]+)"|<loc>([^<]+)<\/loc>/g)) add(html ?? xml ?? '')
    }
  }
  while (waiting.length > 0) await Promise.all(Array.from({ length: AT_ONCE }, read))
  return found
}

/** An address without what tells apart pages of one sort. */
export function sortOf(path: string): string {
  return path
    .replace(/\?(\w+)=.*/, '?$1')
    .replaceAll(/[0-9a-hjkmnp-tv-z]{26}/g, ':item')
    .replaceAll(/[0-9a-f]{40}/g, ':hash')
    .replaceAll(/\/\d{4}(-W?\d\d)?(-\d\d)?(\/\d\d)?/g, '/:time')
    .replace(/^\/(tags|places|authors|languages)\/[^/?]+/, '/$1/:name')
}

/** The address that a kept page was asked for at, and the language that its reader's browser asked for. */
export function askedFor(key: string): { path: string; language: string } {
  const [, , language = '', path = ''] = /^(\S*) (\S*) (.*)$/.exec(key) ?? []
  return { path, language }
}

export interface Rendered {
  status: number
  type: string
  policy: string
  body: string
}

/** A page as it is made at this moment, whatever is kept. */
export async function renderAnew(node: NodeHere, key: string): Promise<Rendered> {
  const { path, language } = askedFor(key)
  const answer = await node.page(path, { headers: { cookie: NOBODY, 'accept-language': language || 'en' } })
  const { headers, status } = answer
  const type = headers.get('content-type') ?? ''
  return { status, type, policy: headers.get('content-security-policy') ?? '', body: await answer.text() }
}

export function asKept({ status, type, headers, body }: StoredPage): Rendered {
  return { status, type, policy: headers['content-security-policy'] ?? '', body: body.toString() }
}

/** Kept pages that are not as they would be made now, each with where the difference begins. */
export async function stalePages(node: NodeHere): Promise<string[]> {
  const { store } = node.here.kept
  const stale: string[] = []
  const keys = [...store.keys()]
  const look = async () => {
    for (let key = keys.pop(); key !== undefined; key = keys.pop()) {
      const page = store.get(key)
      if (!page) continue
      const fresh = await renderAnew(node, key)
      // What was true until its time came meanwhile is not stale, and what was dropped is not kept.
      if (page.reads.untilMs > Date.now() && store.get(key) === page && !isSame(asKept(page), fresh))
        stale.push(`${key}: ${difference(asKept(page), fresh)}`)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, look))
  return stale.sort()
}

export function isSame(one: Rendered, other: Rendered): boolean {
  return (Object.keys(one) as (keyof Rendered)[]).every((name) => one[name] === other[name])
}

function difference(kept: Rendered, fresh: Rendered): string {
  if (kept.status !== fresh.status) return `kept with ${kept.status}, now ${fresh.status}`
  let at = 0
  while (at < kept.body.length && kept.body[at] === fresh.body[at]) at += 1
  const around = ({ body }: Rendered) => JSON.stringify(body.slice(Math.max(0, at - 80), at + 120))
  return `at ${at}\n  kept ${around(kept)}\n  now  ${around(fresh)}`
}

/** The pages that are kept and hold until something changes them. */
export function keptNow(node: NodeHere): Map<string, StoredPage> {
  const { store } = node.here.kept
  const pages = new Map<string, StoredPage>()
  const keys = [...store.keys()]
  for (const key of keys) {
    const page = store.get(key)
    if (page) pages.set(key, page)
  }
  return pages
}
