import { HyperactiveError } from '../errors.ts'

/**
 * What an id or address on the command line names: an item, or one of its comments by its hash.
 *
 * @throws HyperactiveError `unknown_item` (404)
 */
export function targetNamed(text: string): { item: string; comment?: string } {
  const [, item, comment] = /(?:^|\/)([0-9a-hjkmnp-tv-z]{26})(?:(?:\/|.*#c-)([0-9a-f]{40}))?/.exec(text) ?? []
  if (item !== undefined) return { item, ...(comment === undefined ? {} : { comment }) }
  const message = `"${text}" is neither the id nor the address of an item or of a comment`
  throw new HyperactiveError('unknown_item', message, { status: 404 })
}
