import { Parser } from 'htmlparser2'
import { unreadable } from './problems.ts'

type Attributes = Record<string, string>

/**
 * What becomes of an element: it goes with all that is in it, goes while what is in it stays, or stays with these
 * attributes.
 */
export type Verdict = 'cut' | 'unwrap' | Attributes

const DECLARATION = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'

function escaped(value: string): string {
  return value
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('"', '&quot;')
    .replaceAll('\n', '&#10;')
    .replaceAll('\r', '&#13;')
    .replaceAll('\t', '&#9;')
}

function openTag(name: string, attributes: Attributes, isEmpty: boolean): string {
  const written = Object.entries(attributes).map(([key, value]) => ` ${key}="${escaped(value)}"`)
  return `<${name}${written.join('')}${isEmpty ? '/' : ''}>`
}

/**
 * Takes elements and attributes out of XML; every other element stays letter for letter. Comments and processing
 * instructions always go.
 *
 * @param editText what becomes of text, as it is written, directly inside an element of this name
 * @throws HyperactiveError `media_unreadable` where it declares a document type: entities could be anything
 */
export function editXml(
  xml: string,
  judge: (name: string, attributes: Attributes) => Verdict,
  editText?: (name: string, text: string) => string,
): string {
  const kept: string[] = []
  let at = 0
  let cutDepth = 0
  const open: { name: string; isUnwrapped: boolean }[] = []
  const textUntil = (start: number) => {
    if (cutDepth > 0) return
    const text = xml.slice(at, start)
    const { name } = open.at(-1) ?? {}
    kept.push(editText && name !== undefined ? editText(name, text) : text)
  }
  const parser = new Parser(
    {
      onopentag(name, attributes) {
        const { startIndex, endIndex } = parser
        textUntil(startIndex)
        at = endIndex + 1
        if (cutDepth > 0) {
          cutDepth += 1
          return
        }
        const verdict = judge(name, attributes)
        if (verdict === 'cut') {
          cutDepth = 1
          return
        }
        open.push({ name, isUnwrapped: verdict === 'unwrap' })
        if (verdict === 'unwrap') return
        const tag = xml.slice(startIndex, endIndex + 1)
        kept.push(verdict === attributes ? tag : openTag(name, verdict, tag.endsWith('/>')))
      },
      onclosetag(_, isImplied) {
        const { startIndex, endIndex } = parser
        // The one of an empty element stands where its opening tag did.
        const isWritten = !isImplied && startIndex >= at
        if (isWritten) {
          textUntil(startIndex)
          at = endIndex + 1
        }
        if (cutDepth > 0) {
          cutDepth -= 1
          return
        }
        const { isUnwrapped = false } = open.pop() ?? {}
        if (isWritten && !isUnwrapped) kept.push(xml.slice(startIndex, endIndex + 1))
      },
      oncomment() {
        textUntil(parser.startIndex)
        at = parser.endIndex + 1
      },
      onprocessinginstruction(name) {
        if (name.toLowerCase() === '!doctype') throw unreadable('one of its parts declares a document type')
        textUntil(parser.startIndex)
        at = parser.endIndex + 1
      },
    },
    { xmlMode: true, decodeEntities: true },
  )
  parser.end(xml)
  textUntil(xml.length)
  return DECLARATION + kept.join('').trimStart()
}

/** A name without its namespace's prefix. */
export function localName(name: string): string {
  return name.slice(name.indexOf(':') + 1)
}
