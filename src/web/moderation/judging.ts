import type { ParameterizedContext } from 'koa'
import { allows, TO_DECIDE } from '../../accounts/permissions.ts'
import { HyperactiveError } from '../../errors.ts'
import { isHybridTime } from '../../ledger/clock.ts'
import { CATEGORIES } from '../../newsroom/categories.ts'
import { decideOnAll } from '../../newsroom/decide.ts'
import { readTarget } from '../../newsroom/target.ts'
import type { Seen } from '../../newsroom/target.ts'
import type { WebContext } from '../context.ts'
import type { Form } from '../form.ts'
import { wordingFor } from '../page.ts'
import { knownPerson } from '../people/own-form.ts'
import { mayHere } from '../relations.ts'

const LONGEST_REASON = 2000
const CONCEALED_FOR = new Set(['danger', 'illegal', 'personal-data'])

/** What a moderator's form says beside its targets. */
export interface Judged {
  action: string
  category?: string
  reason?: string
  /** The decisions that it takes the place of, where those were looked at. */
  over?: readonly string[]
}

/**
 * Reads what a moderator decides, and whether they may.
 *
 * @throws HyperactiveError `not_permitted` (403), `reason_missing` or `reason_too_long` (422)
 */
export function readJudgement(ctx: ParameterizedContext, form: Form): Judged {
  const { t } = wordingFor(ctx)
  const action = form.get('action') ?? ''
  const permission = TO_DECIDE[action]
  if (permission === undefined || !mayHere(ctx, permission))
    throw new HyperactiveError('not_permitted', t('people.notPermitted'), { status: 403 })
  const category = form.get('category') ?? ''
  const reason = (form.get('reason') ?? '').trim()
  const known = (CATEGORIES as readonly string[]).includes(category)
  if ((action === 'hide' || action === 'conceal') && !known && reason === '')
    throw new HyperactiveError('reason_missing', t('moderation.reasonMissing'), { status: 422 })
  // What nobody can check any more has to have one of the reasons that it is for.
  if (action === 'conceal' && !CONCEALED_FOR.has(category))
    throw new HyperactiveError('reason_missing', t('moderation.concealHint'), { status: 422 })
  if (reason.length > LONGEST_REASON)
    throw new HyperactiveError('reason_too_long', t('moderation.reasonTooLong'), { status: 422 })
  return { action, ...(known ? { category } : {}), ...(reason === '' ? {} : { reason }) }
}

/** Decides on all targets in a moderator's name, and waits until it shows; what was reported of them is closed. */
export async function judge(
  ctx: ParameterizedContext,
  { ledger, site, policy, settled, queue }: WebContext,
  seen: readonly Seen[],
  judged: Judged,
): Promise<void> {
  const by = knownPerson(ctx).account.id
  const judgements = seen.flatMap(({ target }) => {
    const named = readTarget(target)
    return named ? [{ ...named, ...judged, by }] : []
  })
  const ids = await decideOnAll({ ledger, site: site.database, policy }, judgements)
  const last = ids.at(-1)
  if (last === undefined)
    throw new HyperactiveError('unknown_item', wordingFor(ctx).t('error.unknownItem'), { status: 404 })
  // What readers reported is the moderators' to close, and not of the members of the group that it is about.
  if (allows('moderate', knownPerson(ctx).roles)) await queue.close(seen)
  await settled(last)
}

/** The version of something that a form says it showed. */
export function versionIn(text: string): { version?: string } {
  return isHybridTime(text) ? { version: text } : {}
}
