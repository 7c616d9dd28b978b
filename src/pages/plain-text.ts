/**
 * An author's Markdown as plain text, for search, teasers and calendars: what marks it up is left out, its words stay.
 * It is a rough reading in one pass, so that text of any length takes time in proportion.
 */
export function plainTextOf(markdown: string): string {
  return markdown
    .replaceAll(/!?\[([^[\]]{0,1000})\]\([^()\s]{0,2000}\)/g, '$1')
    .replaceAll(/^[ \t]{0,3}(?:#{1,6}|>|[-*+]|\d{1,9}[.)])[ \t]+/gm, '')
    .replaceAll(/[*_`~]{1,3}/g, '')
    .replaceAll(/\s+/g, ' ')
    .trim()
}
