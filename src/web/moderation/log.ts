import type { Router } from '@koa/router'
import { isHybridTime } from '../../ledger/clock.ts'
import { isHash } from '../../ledger/document.ts'
import { pathOf, placeText, reasonNamed } from '../../pages/models.ts'
import type { DecisionRow } from '../../project/site-rows.ts'
import type { WebContext } from '../context.ts'
import { may } from '../may.ts'
import { showPage, wordingFor } from '../page.ts'

const ROWS = 50

/** The public log: every decision, on which node and why. Who decided stays out of it. */
export function logPages(router: Router, web: WebContext): void {
  router.get('/moderation', may('read'), async (ctx) => {
    const wording = wordingFor(ctx)
    const [at = '', item = ''] = String(ctx.query.before ?? '').split('_')
    const place = isHybridTime(at) && isHash(item) ? { at, item } : undefined
    const rows = await web.site.decisions(ROWS + 1, place)
    const shown = rows.slice(0, ROWS)
    const last = shown.at(-1)
    const older = rows.length > ROWS && last && { at: last.at, item: last.hash }
    const model = {
      decisions: shown.map((row) => ({ ...rowModel(row, web), at: wording.moment(row.at) })),
      older: older && `/moderation?before=${placeText(older)}`,
      title: wording.t('moderation.log'),
      robots: 'noindex',
    }
    await showPage(ctx, web, 'moderation/log', model)
  })
}

function rowModel(
  { action, node, reason, category, item, kind, comment, title, closed, ended, unread }: DecisionRow,
  web: WebContext,
) {
  const path = kind === undefined ? `/comments/${item}/${comment ?? ''}` : pathOf(kind, item)
  return {
    action,
    node: node.slice(0, 8),
    own: node === web.nodeKey.publicKey,
    // What is said of something that must not be read could give it away.
    reason: closed === 'concealed' || closed === 'erased' ? undefined : reason,
    category: reasonNamed(category),
    kind,
    title,
    closed,
    ended,
    path: closed === undefined && !unread ? path : undefined,
    counts: web.policy.counts(node),
  }
}
