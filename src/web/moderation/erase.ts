import type { Router } from '@koa/router'
import type { ParameterizedContext } from 'koa'
import { answerErasure, orderErasure, targetIn } from '../../erasure/order.ts'
import { HyperactiveError } from '../../errors.ts'
import { isHash } from '../../ledger/document.ts'
import { isItemId } from '../../ledger/item-id.ts'
import { CATEGORIES } from '../../newsroom/categories.ts'
import { reasonNamed, text } from '../../pages/models.ts'
import { isExecuted, isToExecute, ordersInForce } from '../../project/erasures.ts'
import type { Erasures } from '../../project/erasures.ts'
import type { Awaited, SiteComment, SiteItem } from '../../project/site-item.ts'
import type { WebContext } from '../context.ts'
import { redirect } from '../form.ts'
import { may } from '../may.ts'
import { localPath, showPage, wordingFor } from '../page.ts'
import type { PageRequest } from '../page.ts'
import { issueToken, knownPerson, readOwnForm } from '../people/own-form.ts'
import { FormTokens } from '../token.ts'

const HERE = '/office/erasures'
const ROWS = 100

type Target = SiteItem | SiteComment | Awaited

/** Where an administrator orders to erase something for good, sees who has, and answers what other nodes have ordered. */
export function erasurePages(router: Router, web: WebContext): void {
  const tokens = new FormTokens(web.nodeKey)

  for (const address of ['/erase/:item', '/erase/:item/:comment']) {
    router.get(address, may('erase'), async (ctx) => showForm(ctx, await targetOf(ctx)))
    router.post(address, may('erase'), async (ctx) => {
      const target = await targetOf(ctx)
      const form = await readOwnForm(ctx, tokens, { url: web.config.url })
      const category = reasonNamed(form.get('category'))
      const { t } = wordingFor(ctx)
      const notice =
        category === undefined
          ? t('erasure.reasonMissing')
          : form.get('sure') === 'yes'
            ? undefined
            : t('erasure.notSure')
      if (category === undefined || notice !== undefined)
        return showForm(ctx, target, { notice, typed: { category }, status: 422 })
      const by = knownPerson(ctx).account.id
      const order = await orderErasure(
        { ledger: web.ledger, site: web.site.database },
        targetIn(target._id),
        { category, by },
      )
      await web.settled(order)
      redirect(ctx, localPath(ctx, HERE))
    })
  }

  router.get(HERE, may('erase'), (ctx) => showOrders(ctx))

  router.post(HERE, may('erase'), async (ctx) => {
    const form = await readOwnForm(ctx, tokens, { url: web.config.url })
    const [id = '', action = ''] = (form.get('answer') ?? '').split(' ')
    const target = await web.site.ordered(id)
    const orders = ordersInForce(target?.erasures ?? {}, web.policy)
    const [first] = orders
    if (!target || first === undefined)
      throw new HyperactiveError('unknown_order', wordingFor(ctx).t('erasure.unknownOrder'), { status: 404 })
    if (action === 'decline')
      await settleAll(await answerErasure(web.ledger, targetIn(target._id), orders, 'declined'))
    else {
      // Doing so here is an order of this node's own.
      const category = target.erasures?.[first]?.category ?? 'illegal'
      const given = { category, by: knownPerson(ctx).account.id }
      const from = { ledger: web.ledger, site: web.site.database }
      await settleAll([await orderErasure(from, targetIn(target._id), given)])
    }
    redirect(ctx, localPath(ctx, HERE))
  })

  async function settleAll(ids: readonly string[]): Promise<void> {
    for (const id of ids) await web.settled(id)
  }

  async function targetOf(ctx: PageRequest): Promise<SiteItem | SiteComment> {
    const { item = '', comment } = ctx.params
    const isFit = isItemId(item) && (comment === undefined || isHash(comment))
    const found =
      isFit && (comment === undefined ? await web.site.anyItem(item) : await web.site.comment(item, comment))
    if (found) return found
    throw new HyperactiveError('unknown_item', wordingFor(ctx).t('error.unknownItem'), { status: 404 })
  }

  async function showForm(
    ctx: ParameterizedContext,
    target: SiteItem | SiteComment,
    {
      status = 200,
      notice,
      typed = {},
    }: { status?: number; notice?: string | undefined; typed?: object } = {},
  ): Promise<void> {
    const { t } = wordingFor(ctx)
    ctx.status = status
    const model = {
      name: titleOf(target) ?? t('comments.one'),
      versions: target.type === 'item' ? Object.keys(target.graph).length : 1,
      members: web.members().length,
      back: `/moderate/${nameOf(target)}`,
      categories: CATEGORIES,
      typed,
      notice,
      action: ctx.path,
      token: issueToken(ctx, tokens, ctx.path),
      title: t('erasure.title'),
      robots: 'noindex',
    }
    await showPage(ctx, web, 'moderation/erase', model, { store: false })
  }

  async function showOrders(ctx: ParameterizedContext): Promise<void> {
    const wording = wordingFor(ctx)
    const orders = await web.site.erasureOrders(ROWS)
    const model = {
      orders: orders.map(({ hash, at, target }) => {
        const { erasures = {} } = target
        const known = erasures[hash]
        return {
          id: target._id,
          at: wording.moment(at),
          name: nameOf(target),
          node: known?.node.slice(0, 8),
          own: web.policy.isOwn(known?.node ?? ''),
          category: reasonNamed(known?.category),
          state: stateOf(hash, erasures, target),
          answers: answersTo(hash, erasures).map((answer) => ({ ...answer, at: wording.moment(answer.at) })),
          members: web.members().length,
        }
      }),
      token: issueToken(ctx, tokens, HERE),
      title: wording.t('erasure.orders'),
      robots: 'noindex',
    }
    await showPage(ctx, web, 'moderation/erasures', model, { store: false })
  }

  /** How an order stands on this node. */
  function stateOf(hash: string, erasures: Erasures, target: Target): string {
    if (!web.policy.counts(erasures[hash]?.node ?? '')) return 'ignored'
    if (!ordersInForce(erasures, web.policy).includes(hash)) return 'declined'
    if (!isToExecute(erasures, web.policy)) return 'asked'
    return target.type === 'awaited' && isExecuted(erasures, web.policy) ? 'executed' : 'underWay'
  }
}

/** What nodes have said of an order, each node's latest word once. */
function answersTo(hash: string, erasures: Erasures) {
  const latest = new Map<string, { node: string; did: string; at: string }>()
  for (const { node, did, order, at } of Object.values(erasures)) {
    if (order !== hash || did === undefined) continue
    const known = latest.get(node)
    if (!known || known.at < at) latest.set(node, { node: node.slice(0, 8), did, at })
  }
  return [...latest.values()].sort((a, b) => (a.at < b.at ? -1 : 1))
}

function titleOf(target: SiteItem | SiteComment): string | undefined {
  return (target.type === 'item' ? target.listing.title : text(target.fields.title)) || undefined
}

/** "<item>" or "<item>/<hash>", as addresses have it. */
function nameOf(target: Target): string {
  const { item, comment } = targetIn(target._id)
  return comment === undefined ? item : `${item}/${comment}`
}
