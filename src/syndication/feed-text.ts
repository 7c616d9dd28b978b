import sanitizeHtml from 'sanitize-html'
import { shorten } from '../kinds/base/fields.ts'

/** Of longer markup the rest is not looked at: what is made of it is far shorter. */
const LONGEST_MARKUP = 20_000
/** Elements that end a word; of all others only the text stays, as if they were not there. */
const BLOCKS = ['p', 'br', 'div', 'li', 'td', 'th', 'tr', 'blockquote', 'figcaption', 'pre', 'hr', 'dt', 'dd']
const HEADINGS = ['h1', 'h2', 'h3', 'h4', 'h5', 'h6']
/** Elements whose text nobody was meant to read. */
const WITHOUT_TEXT = ['script', 'style', 'textarea', 'option', 'noscript', 'template', 'iframe', 'object']

/**
 * Characters that are not seen, or that turn the text around them: control characters, bidirectional embeddings,
 * overrides and isolates (Unicode TR 36, 3.1), spaces without width, tags, and what is no character at all.
 */
const UNSEEN =
  /[\p{Cc}\p{Noncharacter_Code_Point}\u00ad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu

/** One line of what a stranger calls text, at most `letters` long; markup is taken out, character references are read. */
export function plainLine(markup: string, letters: number): string {
  const known = sanitizeHtml(markup.slice(0, LONGEST_MARKUP), {
    allowedTags: [...BLOCKS, ...HEADINGS],
    allowedAttributes: {},
    nonTextTags: WITHOUT_TEXT,
  })
  // By now every "<" begins one of the tags above, and only these four characters are escaped.
  const text = known
    .replaceAll(/<[^<>]*>/g, ' ')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&')
  const line = text.toWellFormed().replaceAll(/\s+/g, ' ').replaceAll(UNSEEN, '').trim()
  return shorten(line, letters - 1)
}
