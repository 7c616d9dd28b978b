import { contentLines } from '../calendar/file/content-line.ts'

/**
 * The public address under which the site is rendered for its files: nobody has it, so every one of the site's own
 * addresses is found again in what was rendered.
 */
export const PRODUCED = 'http://produced.invalid'

/** What becomes of a link's target: another address, or no link at all. */
export type LinkOf = (target: string, link: { byReader: boolean }) => string | undefined

/** What stands where forms stood: HTML. */
export type InsteadOf = (action: string, isFirst: boolean) => string

export interface PageRewriting {
  linkOf: LinkOf
  insteadOf: InsteadOf
  /** The public address of the produced site, without a slash at the end; undefined when it has none. */
  base: string | undefined
}

/** Templates escape what is not a tag of their own, so a tag is found by how it begins. */
const TAGS =
  /<form\b[^]*?<\/form>|<script\b[^]*?<\/script>|<(a|link|meta|img|source|video|audio|track)\b([^>]*)>/g

/**
 * A page as it stands in a file: its links lead to other files, its forms and scripts are gone, and what it says of its
 * own address is that of the produced site.
 */
export function rewritePage(html: string, { linkOf, insteadOf, base }: PageRewriting): string {
  let forms = 0
  const written = html.replace(TAGS, (whole: string, tag: string | undefined, attributes = '') => {
    if (whole.startsWith('<form'))
      return insteadOf(valueOf(whole.slice(0, whole.indexOf('>')), 'action'), forms++ === 0)
    if (whole.startsWith('<script')) {
      const isData = whole.startsWith('<script type="application/ld+json">')
      return isData && base !== undefined ? whole.replaceAll(PRODUCED, base) : ''
    }
    if (tag === 'a') return rewriteAnchor(whole, attributes, linkOf)
    if (tag === 'link') return rewriteLink(whole, attributes, { linkOf, base })
    if (tag === 'meta') {
      if (!whole.includes(PRODUCED)) return whole
      return base === undefined ? '' : whole.replaceAll(PRODUCED, base)
    }
    return rewriteMedia(whole, attributes, linkOf)
  })
  // There are no headers any more that say so.
  return written.replace('<meta name="viewport"', '<meta name="referrer" content="no-referrer">\n$&')
}

function rewriteAnchor(whole: string, attributes: string, linkOf: LinkOf): string {
  const href = valueOf(attributes, 'href')
  if (href === '') return whole
  const target = linkOf(href, {
    byReader: attributes.includes('ugc') && /\brel="[^"]*\bugc\b/.test(attributes),
  })
  if (target === undefined) return whole.replaceAll(/\s+(?:href|rel|aria-label)="[^"]*"/g, '')
  return target === href ? whole : withValue(whole, 'href', target)
}

/** Pictures, players and what they are made of: templates alone write them. */
function rewriteMedia(whole: string, attributes: string, linkOf: LinkOf): string {
  let written = whole
  for (const name of ['src', 'poster'] as const) {
    const address = valueOf(attributes, name)
    if (address !== '') written = withValue(written, name, linkOf(address, { byReader: false }) ?? address)
  }
  const srcset = valueOf(attributes, 'srcset')
  return srcset === '' ? written : withValue(written, 'srcset', srcsetTo(srcset, linkOf))
}

/** "/files/a.jpg 320w, /files/b.jpg 640w" with other addresses. */
function srcsetTo(srcset: string, linkOf: LinkOf): string {
  const sizes = srcset.split(', ').map((size) => {
    const [address = '', width = ''] = size.split(' ')
    return `${linkOf(address, { byReader: false }) ?? address} ${width}`
  })
  return sizes.join(', ')
}

function rewriteLink(
  whole: string,
  attributes: string,
  { linkOf, base }: Pick<PageRewriting, 'linkOf' | 'base'>,
): string {
  const rel = valueOf(attributes, 'rel')
  const href = valueOf(attributes, 'href')
  if (rel === 'canonical')
    return base === undefined ? '' : withValue(whole, 'href', base + href.slice(PRODUCED.length))
  // Only a node answers these.
  if (rel === 'search' || attributes.includes('+oembed"')) return ''
  // Which languages there are the page's foot says.
  if (rel === 'alternate' && attributes.includes('hreflang=') && !attributes.includes('type=')) return ''
  const target = linkOf(href, { byReader: false })
  return target === undefined ? '' : withValue(whole, 'href', target)
}

type Attribute = 'href' | 'src' | 'srcset' | 'poster' | 'action' | 'rel'

/** Templates write every value between double quotes. */
function valueOf(attributes: string, name: Attribute): string {
  const [from, to] = rangeOf(attributes, name)
  return unescape(attributes.slice(from, to))
}

function withValue(whole: string, name: Attribute, value: string): string {
  const [from, to] = rangeOf(whole, name)
  return whole.slice(0, from) + escapeHtml(value) + whole.slice(to)
}

function rangeOf(tag: string, name: string): [from: number, to: number] {
  const at = tag.indexOf(` ${name}="`)
  if (at === -1) return [0, 0]
  const from = at + name.length + 3
  const end = tag.indexOf('"', from)
  return [from, end === -1 ? from : end]
}

/** Text as it stands in HTML. */
export function escapeHtml(text: string): string {
  if (!/[&<>"]/.test(text)) return text
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}

const NAMED: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"' }

function unescape(html: string): string {
  if (!html.includes('&')) return html
  return html.replaceAll(
    /&(?:(amp|lt|gt|quot)|#(\d{1,7})|#x([0-9a-f]{1,6}));/gi,
    (whole, name, ten, sixteen) => {
      if (name) return NAMED[String(name).toLowerCase()] ?? whole
      const code = ten ? Number(ten) : Number.parseInt(String(sixteen), 16)
      return code <= 0x10_ff_ff ? String.fromCodePoint(code) : whole
    },
  )
}

/** A feed, a sitemap or the like as a file; undefined where it makes no sense without a public address. */
export function rewriteFile(file: string, text: string, base: string | undefined): string | undefined {
  if (file.endsWith('.ics')) {
    const unfolded = text.replaceAll(/\r\n[ \t]/g, '')
    return contentLines(unfolded.replaceAll(PRODUCED, base ?? ''))
  }
  if (file.startsWith('sitemap') && base === undefined) return undefined
  if (file === 'robots.txt' && base === undefined) return text.replace(/^Sitemap:.*\n/m, '')
  // A server of files gives the same page again, whatever stands behind the question mark.
  const whole = text
    .replaceAll(/[ \t]*<(?:atom:)?link [^>]*rel="next"[^>]*\/>\n?/g, '')
    .replace(/"next_url": ?"[^"]*",?\n?\s*/, '')
  return whole.replaceAll(PRODUCED, base ?? '')
}

/** The site's own addresses that a sitemap names. */
export function addressesIn(sitemap: string): string[] {
  return [...sitemap.matchAll(/<loc>([^<]*)<\/loc>/g)].flatMap(([, text = '']) => {
    const address = unescape(text)
    return address.startsWith(PRODUCED) ? [address.slice(PRODUCED.length) || '/'] : []
  })
}
