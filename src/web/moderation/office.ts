import type { Router } from '@koa/router'
import type { ParameterizedContext } from 'koa'
import { allows } from '../../accounts/permissions.ts'
import { HyperactiveError } from '../../errors.ts'
import { allKinds } from '../../kinds/base/registry.ts'
import { CATEGORIES } from '../../newsroom/categories.ts'
import { readTarget } from '../../newsroom/target.ts'
import type { Seen } from '../../newsroom/target.ts'
import { CLASHES } from '../../project/site-rows.ts'
import type { WebContext } from '../context.ts'
import type { Form } from '../form.ts'
import { redirect } from '../form.ts'
import { may } from '../may.ts'
import { localPath, showPage, wordingFor } from '../page.ts'
import { issueToken, knownPerson, readOwnForm } from '../people/own-form.ts'
import { FormTokens } from '../token.ts'
import { judge, readJudgement, versionIn } from './judging.ts'
import { PARTS, queueModel, waitingText } from './queue-model.ts'

const HERE = '/office'
/** A box for each row, and what else the form has. */
const MOST_FIELDS = 500
/** What can be decided on comments as well. */
const ON_COMMENTS = new Set(['approve', 'hide', 'dismiss'])
/** What only editors publish, by a form. */
const EDITORS_KINDS = allKinds()
  .filter(({ by, name }) => by === 'editors' && name !== 'term')
  .map(({ name }) => name)

/** The moderators' queue: what awaits review, is reported, matched by a filter or new; decides on many at once. */
export function officePages(router: Router, web: WebContext): void {
  const tokens = new FormTokens(web.nodeKey)

  router.get(HERE, may('moderate'), (ctx) => show(ctx))

  router.get('/office/waiting', may('moderate'), async (ctx) => {
    const counts = await web.queue.counts()
    ctx.set('Cache-Control', 'no-store')
    ctx.body = {
      waiting: counts.waiting + counts.reported + counts.matched,
      text: waitingText(counts, wordingFor(ctx)),
    }
  })

  router.post(HERE, may('moderate'), async (ctx) => {
    const form = await readOwnForm(ctx, tokens, { url: web.config.url, mostFields: MOST_FIELDS })
    try {
      const action = form.get('action') ?? ''
      const chosen = await chosenBy(form)
      const seen = ON_COMMENTS.has(action) ? chosen : chosen.filter(({ target }) => !target.includes('/'))
      if (seen.length === 0)
        throw new HyperactiveError('nothing_chosen', wordingFor(ctx).t('moderation.nothingChosen'), {
          status: 422,
        })
      if (action === 'dismiss') await web.queue.close(seen)
      else await judge(ctx, web, seen, readJudgement(ctx, form))
      redirect(ctx, localPath(ctx, HERE))
    } catch (error) {
      if (!(error instanceof HyperactiveError) || error.status !== 422) throw error
      const typed = { reason: form.get('reason') ?? '', category: form.get('category') ?? '' }
      const all = new Set(PARTS.filter((part) => form.has(`all-${part}`)))
      const chosen = new Set(boxesIn(form).map(({ target }) => target))
      await show(ctx, { notice: error.message, status: 422, typed, chosen, all })
    }
  })

  /** What is ticked, and all of a part where that is: of what awaits review also what the page did not list. */
  async function chosenBy(form: Form): Promise<Seen[]> {
    const chosen = new Map(boxesIn(form).map((seen) => [seen.target, seen]))
    const more = PARTS.filter((part) => part !== 'waiting' && form.has(`all-${part}`)).flatMap((part) =>
      listedIn(form.get(`listed-${part}`) ?? ''),
    )
    const { version: until } = versionIn(form.get('made') ?? '')
    if (form.has('all-waiting')) more.push(...(await web.queue.waiting(until)))
    for (const seen of more) if (!chosen.has(seen.target)) chosen.set(seen.target, seen)
    return [...chosen.values()]
  }

  async function show(
    ctx: ParameterizedContext,
    {
      status = 200,
      notice,
      typed = {},
      chosen = new Set(),
      all = new Set(),
    }: {
      status?: number
      notice?: string
      typed?: object
      chosen?: ReadonlySet<string>
      all?: ReadonlySet<string>
    } = {},
  ): Promise<void> {
    const wording = wordingFor(ctx)
    // Before the parts are read, so that "all" is of nothing that the page does not know of.
    const made = web.ledger.clock.now()
    const counts = await web.queue.counts()
    const parts = await web.queue.parts()
    const clashes = await web.site.count(CLASHES)
    const { roles } = knownPerson(ctx)
    ctx.status = status
    const model = {
      parts: queueModel(parts, counts, { wording, chosen, all }),
      isEmpty: PARTS.every((part) => parts[part].entries.length === 0),
      text: waitingText(counts, wording),
      awaits: counts.waiting > 0,
      clashes,
      categories: CATEGORIES,
      kinds: allows('publish-pages', roles) ? EDITORS_KINDS : [],
      filters: allows('filters', roles),
      administers: allows('accounts', roles),
      typed,
      notice,
      made,
      token: issueToken(ctx, tokens, HERE),
      title: wording.t('office.title'),
      robots: 'noindex',
    }
    await showPage(ctx, web, 'moderation/office', model, { store: false, scripts: ['count', 'queue'] })
  }
}

/** The boxes that are ticked, each with the version that the page showed. */
function boxesIn(form: Form): Seen[] {
  return [...form].flatMap(([name, value]) => {
    const target = name.startsWith('choose-') ? name.slice('choose-'.length) : ''
    return readTarget(target) ? [{ target, ...versionIn(value) }] : []
  })
}

/** What a part listed, as the page wrote it: "<target>=<version>", apart by spaces. */
function listedIn(text: string): Seen[] {
  return text.split(' ').flatMap((pair) => {
    const [target = '', version = ''] = pair.split('=')
    return readTarget(target) ? [{ target, ...versionIn(version) }] : []
  })
}
