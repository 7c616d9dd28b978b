import type { ParameterizedContext } from 'koa'
import { placeText } from '../pages/models.ts'
import type { ListingRow } from '../project/site-rows.ts'
import type { WebContext } from './context.ts'
import { localPath, wordingFor } from './page.ts'

/** The line above a listing that says how many new entries there are, as its script fills it. */
export interface LiveLine {
  /** Where the script is told. */
  from: string
  /** What leads to the page itself. */
  page: string
  /** Messages for a number by its plural form, and for more than it. */
  forms: string
  more: string
}

/**
 * What the first page of a listing has for its script; undefined where nobody is told of anything.
 *
 * @param listing.rows what it shows, newest first: the state that a kept page brings along
 */
export function liveLine(
  ctx: ParameterizedContext,
  { live }: Pick<WebContext, 'live'>,
  { path, at = path, rows }: { path: string; at?: string; rows: readonly ListingRow[] },
): LiveLine | undefined {
  const isFirst = ctx.query.before === undefined && ctx.query.after === undefined
  if (!live || !isFirst) return undefined
  const [newest] = rows
  const wording = wordingFor(ctx)
  return {
    from: `/live${path}?after=${newest ? placeText(newest) : ''}`,
    page: localPath(ctx, at),
    forms: JSON.stringify(wording.forms('live.new')),
    more: wording.t('live.more'),
  }
}
