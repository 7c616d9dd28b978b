import type { Fields } from '../../ledger/document.ts'
import type { SiteComment, SiteItem } from '../../project/site-item.ts'
import type { Part } from './filter.ts'

/** Of each part no more than so many characters are looked at. */
export const LONGEST_TEXT = 200_000

/** What there is to look at, each part as one text; links and tags one a line. */
export interface Texts {
  kind: string
  parts: Record<Part, string>
}

/** Where there is nothing to look at. */
export const NO_TEXTS: Texts = {
  kind: '',
  parts: { title: '', summary: '', body: '', author: '', links: '', tags: '' },
}

/** Fields that say how something stands, not what it says. */
const NOT_SAID = new Set([
  'language',
  'group',
  'translationOf',
  'importId',
  'aliases',
  'start',
  'end',
  'zone',
  'rrule',
  'exceptions',
  'occurrence',
])
const OF_THEIR_OWN = new Set(['title', 'summary', 'author', 'tags'])
/** Up to what ends an address in running text. */
const ADDRESS = /\b(?:https?:\/\/|www\.)[^\s<>"'()[\]{}|\\^`]{1,2000}/giu

/** The texts of an item or comment that filters look at. */
export function textsOf(document: SiteItem | SiteComment): Texts {
  const { fields } = document
  const said = Object.entries(fields).filter(([name]) => !OF_THEIR_OWN.has(name) && !NOT_SAID.has(name))
  const body = said.flatMap(([, value]) => [...strings(value)]).join('\n')
  const summary = textOf(fields, 'summary')
  const links = `${textOf(fields, 'title')}\n${summary}\n${body}`.slice(0, LONGEST_TEXT).match(ADDRESS) ?? []
  return {
    kind: document.type === 'item' ? document.kind : 'comment',
    parts: {
      title: textOf(fields, 'title'),
      summary,
      body: cut(body),
      author: textOf(fields, 'author'),
      links: cut([...new Set(links)].join('\n')),
      tags: cut([...strings(fields.tags)].join('\n')),
    },
  }
}

function textOf(fields: Fields, name: string): string {
  const value = fields[name]
  return typeof value === 'string' ? cut(value) : ''
}

function cut(text: string): string {
  return text.slice(0, LONGEST_TEXT).normalize('NFC')
}

/** All that is text in a value, such as the titles of a playlist or of changed occurrences. */
function* strings(value: unknown): Generator<string> {
  if (typeof value === 'string') yield value
  else if (typeof value === 'object' && value !== null) {
    for (const [name, inner] of Object.entries(value)) if (!NOT_SAID.has(name)) yield* strings(inner)
  }
}
