import type { Router } from '@koa/router'
import type { ParameterizedContext } from 'koa'
import { HyperactiveError } from '../../errors.ts'
import { isItemId } from '../../ledger/item-id.ts'
import { isSha256 } from '../../ledger/manifest.ts'
import type { FilesDesk } from '../../media/keep/desk.ts'
import type { WebContext } from '../context.ts'
import type { Form } from '../form.ts'
import { may } from '../may.ts'
import { showPage, wordingFor } from '../page.ts'
import { issueToken, readOwnForm } from '../people/own-form.ts'
import { FormTokens } from '../token.ts'
import { stockModel } from './files-model.ts'
import type { Places } from './files-model.ts'

const HERE = '/office/files'
/** A box for each orphan that is listed, and what else the form has. */
const MOST_FIELDS = 200
/** What one request removes at most, so that it ends in time. */
const MOST_REMOVED = 1000

/** Where administrators see what files use and look after those that need somebody. */
export function stockPages(router: Router, web: WebContext): void {
  const tokens = new FormTokens(web.nodeKey)

  router.get('/office/files', may('files'), (ctx) => show(ctx))

  router.post('/office/files', may('files'), async (ctx) => {
    const form = await readOwnForm(ctx, tokens, { url: web.config.url, mostFields: MOST_FIELDS })
    const desk = deskOf(web)
    const { t, bytes } = wordingFor(ctx)
    const only = form.get('action') === 'remove' ? chosenIn(form) : undefined
    if (only?.size === 0) return show(ctx, { status: 422, problem: t('moderation.nothingChosen') })
    const job = form.get('retry')
    if (job !== undefined) desk.jobs?.retry(job)
    else if (only || form.get('action') === 'remove-all') {
      const given = { olderThanMs: 0, most: MOST_REMOVED, ...(only ? { only } : {}) }
      const removed = await desk.keeper.removeOrphans(given)
      return show(ctx, { notice: t('stock.removed', { count: removed.files, bytes: bytes(removed.bytes) }) })
    } else await desk.keeper.look()
    return show(ctx)
  })

  async function show(
    ctx: ParameterizedContext,
    { status = 200, notice, problem }: { status?: number; notice?: string; problem?: string } = {},
  ): Promise<void> {
    ctx.status = status
    const wording = wordingFor(ctx)
    const model = {
      ...(await stockModel(deskOf(web), web.site, wording, placesIn(ctx))),
      notice,
      problem,
      action: HERE,
      token: issueToken(ctx, tokens, HERE),
      title: wording.t('stock.title'),
      robots: 'noindex',
    }
    await showPage(ctx, web, 'moderation/files', model, { store: false })
  }
}

function deskOf({ files }: WebContext): FilesDesk {
  // A copy of the site, where nobody is signed in.
  if (!files) throw new HyperactiveError('not_permitted', 'there is no office here', { status: 403 })
  return files
}

function chosenIn(form: Form): Set<string> {
  const names = [...form.keys()].filter((name) => name.startsWith('choose-'))
  return new Set(names.map((name) => name.slice('choose-'.length)).filter(isSha256))
}

/** Where the lists of this page go on; what is no place begins them. */
function placesIn({ query }: ParameterizedContext): Places {
  const { items, orphans } = query
  const [, bytes, item] = /^(\d{1,15})-(\w{26})$/.exec(String(items)) ?? []
  return {
    ...(item !== undefined && isItemId(item) ? { items: { item, bytes: Number(bytes) } } : {}),
    ...(isSha256(orphans) ? { orphans } : {}),
  }
}
