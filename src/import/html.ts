import TurndownService from 'turndown'
import { plainTextOf } from '../pages/plain-text.ts'

/** Reads HTML of other systems. What is active in it is left out. */
export interface HtmlReader {
  /** As Markdown. */
  readonly markdown: (html: string) => string
  /** As one line of text; nothing for nothing. */
  readonly plain: (html: string | undefined) => string | undefined
}

/** One for a file: making it takes longer than using it. */
export function htmlReader(): HtmlReader {
  const turndown = new TurndownService({
    headingStyle: 'atx',
    codeBlockStyle: 'fenced',
    bulletListMarker: '-',
  })
  turndown.remove(['script', 'style', 'iframe', 'object', 'noscript'])
  const markdown = (html: string) => turndown.turndown(html).trim()
  return {
    markdown,
    plain: (html) => {
      const text = plainTextOf(markdown(html ?? '').replaceAll(/\\([\\`*_{}[\]()#+\-.!])/g, '$1'))
      return text === '' ? undefined : text
    },
  }
}
