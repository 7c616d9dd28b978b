import type { ParameterizedContext } from 'koa'
import { TO_DECIDE } from '../../accounts/permissions.ts'
import { HyperactiveError } from '../../errors.ts'
import { CATEGORIES } from '../../newsroom/categories.ts'
import { decide } from '../../newsroom/decide.ts'
import type { WebContext } from '../context.ts'
import type { Form } from '../form.ts'
import { wordingFor } from '../page.ts'
import { knownPerson } from '../people/own-form.ts'
import { mayHere } from '../relations.ts'

const LONGEST_REASON = 2000

/** What a moderator's form says beside its targets. */
export interface Judged {
  action: string
  category?: string
  reason?: string
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
  if (reason.length > LONGEST_REASON)
    throw new HyperactiveError('reason_too_long', t('moderation.reasonTooLong'), { status: 422 })
  return { action, ...(known ? { category } : {}), ...(reason === '' ? {} : { reason }) }
}

/** Decides in a moderator's name, and waits until it shows. */
export async function judge(
  ctx: ParameterizedContext,
  { ledger, site, policy, settled, reports }: WebContext,
  targets: readonly { item: string; comment?: string }[],
  judged: Judged,
): Promise<void> {
  const by = knownPerson(ctx).account.id
  const ids: string[] = []
  for (const target of targets) {
    ids.push(await decide({ ledger, site: site.database, policy }, { ...target, ...judged, by }))
    await reports.close(targetName(target))
  }
  const last = ids.at(-1)
  if (last !== undefined) await settled(last)
}

/** How reports and forms name an item or a comment. */
export function targetName({ item, comment }: { item: string; comment?: string }): string {
  return comment === undefined ? item : `${item}/${comment}`
}
