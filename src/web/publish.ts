import type { Router } from '@koa/router'
import type { Context, ParameterizedContext } from 'koa'
import { HyperactiveError } from '../errors.ts'
import { isHash } from '../ledger/document.ts'
import type { Draft } from '../ledger/document.ts'
import { belongsTo, isItemId, makeItemId } from '../ledger/item-id.ts'
import { keyFromSecret, keyFromSeed } from '../ledger/keys.ts'
import type { SigningKey } from '../ledger/keys.ts'
import { logger } from '../log.ts'
import { articleModel, pathOf } from '../pages/models.ts'
import { renderPage } from '../pages/render.ts'
import { sameValue } from '../resolve/values.ts'
import type { SiteItem } from '../project/site-item.ts'
import { itemOf } from './articles.ts'
import { checkInput, INPUT_LIMITS, inputOf, readInput } from './article-form.ts'
import type { ArticleInput, CheckedInput } from './article-form.ts'
import { shellOf } from './context.ts'
import type { WebContext } from './context.ts'
import { readForm } from './form.ts'
import type { Form } from './form.ts'
import { clashesOf } from './listings.ts'
import { isCrossSite } from './security.ts'
import { Submissions } from './submissions.ts'
import { FormTokens } from './token.ts'

const log = logger('web')

type Parameters = ParameterizedContext & { params: Record<string, string | undefined> }

/** What the form's template gets, besides the input. */
interface FormState {
  input: ArticleInput
  /** Where the form is sent to, and what its token is for. */
  action: string
  status?: number
  errors?: CheckedInput['errors']
  /** Said above the form. */
  notice?: string
  preview?: object
  parents?: string
  item?: SiteItem
}

/** The forms to publish and to edit, and the page that hands out the secret edit link. */
export function publishRoutes(router: Router, web: WebContext): void {
  const tokens = new FormTokens(web.nodeKey)
  const submissions = new Submissions()
  const show = (ctx: Context, state: FormState) => showForm(ctx, web, tokens, state)

  router.get('/publish', (ctx) =>
    show(ctx, { action: '/publish', input: { ...inputOf({}), language: web.config.site.language } }),
  )
  router.post('/publish', async (ctx) => {
    const form = await readForm(ctx, web.config.limits.formBytes)
    const state: FormState = { action: '/publish', input: readInput(form) }
    const { fields, errors } = checkInput(state.input)
    if (await stopped(ctx, form, state, { fields, errors })) return
    const token = form.get('token') ?? ''
    await orGiveBack(ctx, state, async () => {
      const location = await submissions.once(token, async () => {
        const author = keyFromSeed(tokens.authorSecret(token))
        const item = itemFromToken(tokens, token, author)
        if ((await web.ledger.known([item])).size === 0) {
          const draft: Draft = { type: 'edit', item, kind: 'article', parents: [], fields }
          const [document] = await web.ledger.append([{ draft, author }])
          if (document) await web.settled(document._id)
        }
        return `${pathOf('article', item)}/published/${tokens.authorSecret(token).toString('base64url')}`
      })
      redirect(ctx, location)
    })
  })

  router.get('/articles/:item/published/:secret', async (ctx) => {
    const item = await authorsItem(ctx, web)
    const path = pathOf(item.kind, item._id)
    const link = `${web.config.url ?? `${ctx.protocol}://${ctx.host}`}${path}/edit/${ctx.params.secret ?? ''}`
    secretPage(
      ctx,
      renderPage('published', shellOf(web), { title: item.listing.title, path, link, robots: 'noindex' }),
    )
  })

  router.get('/articles/:item/edit/:secret', async (ctx) => {
    const item = await authorsItem(ctx, web)
    await show(ctx, { action: ctx.path, input: inputOf(item.fields), item, parents: item.heads.join(' ') })
  })
  router.post('/articles/:item/edit/:secret', async (ctx) => {
    const form = await readForm(ctx, web.config.limits.formBytes)
    const input = readInput(form)
    const author = authorOf(ctx)
    const item = author && (await web.site.item(ctx.params.item ?? ''))
    if (!author || !item) {
      const notice = `${author ? 'This article is not on this node (yet).' : WRONG_LINK} Nothing was saved; your text is below, so that you can copy it.`
      await show(ctx, { action: '/publish', input, notice, status: author ? 404 : 403 })
      return
    }
    const parents = (form.get('parents') ?? '')
      .split(' ')
      .filter((hash) => isHash(hash) && hash in item.graph)
    const state: FormState = { action: ctx.path, input, item, parents: parents.join(' ') }
    const { fields, errors } = checkInput(input, item.fields)
    if (await stopped(ctx, form, state, { fields, errors })) return
    if (parents.length === 0) {
      const notice =
        'The form did not say which version it was made from. Please look it through and save again.'
      await show(ctx, { ...state, parents: item.heads.join(' '), notice, status: 422 })
      return
    }
    await orGiveBack(ctx, state, async () => {
      const location = await submissions.once(form.get('token') ?? '', async () => {
        const unchanged =
          item.clashes.length === 0 && sameValue(fields, item.fields) && sameValue(parents, item.heads)
        if (!unchanged) {
          const draft: Draft = {
            type: 'edit',
            item: item._id,
            kind: item.kind,
            parents: [...new Set(parents)].sort(),
            fields,
          }
          const [document] = await web.ledger.append([{ draft, author }])
          if (document) await web.settled(document._id)
        }
        return pathOf(item.kind, item._id)
      })
      redirect(ctx, location)
    })
  })

  /** Shows the form again when it may not or shall not be saved now, with all that was typed. */
  async function stopped(
    ctx: Context,
    form: Form,
    state: FormState,
    { fields, errors }: CheckedInput,
  ): Promise<boolean> {
    if (isCrossSite(ctx, web.config.url)) {
      const notice =
        'This form was sent from another site, so nothing was saved. If it was you, press the button below.'
      await show(ctx, { ...state, notice, status: 403 })
    } else if (!tokens.isValid(form.get('token') ?? '', state.action)) {
      const notice =
        'The form had been open for more than a day, or another node gave it out. Nothing is lost: press the button once more.'
      await show(ctx, { ...state, notice, status: 403 })
    } else if (Object.keys(errors).length > 0) {
      await show(ctx, { ...state, errors, status: 422 })
    } else if (form.get('action') === 'preview') {
      const at = web.ledger.clock.now()
      const item = state.item ?? previewItem(at)
      await show(ctx, { ...state, preview: articleModel(item, fields) })
    } else {
      return false
    }
    return true
  }

  /** Whatever goes wrong while saving: what was typed comes back in the form. */
  async function orGiveBack(ctx: Context, state: FormState, save: () => Promise<void>): Promise<void> {
    try {
      await save()
    } catch (error) {
      const code = error instanceof HyperactiveError ? error.code : 'unexpected'
      log.error('an edit could not be saved', { code })
      const notice =
        'This node could not save your text just now. It is below as you wrote it: copy it to be safe, and press the button again in a moment.'
      ctx.set('Retry-After', '10')
      await show(ctx, { ...state, notice, status: 503 })
    }
  }
}

const WRONG_LINK =
  'This edit link does not belong to this article. Edit links are long; check that you copied all of it.'

async function showForm(ctx: Context, web: WebContext, tokens: FormTokens, state: FormState): Promise<void> {
  const { item, status = 200, action, errors = {}, ...rest } = state
  const clashes = item && item.clashes.length > 0 ? (await clashesOf(item, web)).clashes : []
  const model = {
    ...rest,
    action,
    errors,
    errorCount: Object.keys(errors).length,
    clashes,
    editing: item !== undefined,
    path: item && pathOf(item.kind, item._id),
    token: tokens.issue(action),
    limits: INPUT_LIMITS,
    title: item ? `Edit “${item.listing.title}”` : 'Publish',
    robots: item ? 'noindex' : undefined,
    current: item ? undefined : 'publish',
  }
  ctx.status = status
  secretPage(ctx, renderPage('form', shellOf(web), model))
}

/** The key of an edit link, when it belongs to the article. */
function authorOf(ctx: Parameters): SigningKey | undefined {
  const { item = '', secret = '' } = ctx.params
  const key = keyFromSecret(secret)
  return key && isItemId(item) && belongsTo(item, key.publicKey) ? key : undefined
}

async function authorsItem(ctx: Parameters, web: WebContext): Promise<SiteItem> {
  if (authorOf(ctx)) return itemOf(ctx, web)
  await itemOf(ctx, web)
  throw new HyperactiveError('wrong_edit_link', WRONG_LINK, { status: 403 })
}

/** The item that a form publishes: its time is the form's, so that sending it twice makes one item. */
function itemFromToken(tokens: FormTokens, token: string, author: SigningKey): string {
  return makeItemId(author.publicKey, tokens.issuedAt(token), tokens.authorSecret(token).subarray(0, 2))
}

function previewItem(at: string): SiteItem {
  const listing = {
    kind: 'article',
    title: '',
    summary: '',
    tags: [],
    language: 'en',
    at,
    updatedAt: at,
    clashes: 0,
  }
  return {
    _id: '',
    type: 'item',
    kind: 'article',
    heads: [],
    graph: {},
    author: '',
    at,
    updatedAt: at,
    fields: {},
    clashes: [],
    listing,
  }
}

/** 303, so that reloading the page that follows sends nothing again. */
function redirect(ctx: ParameterizedContext, location: string): void {
  ctx.set('Cache-Control', 'no-store')
  ctx.redirect(location)
  ctx.status = 303
}

function secretPage(ctx: ParameterizedContext, html: string): void {
  ctx.set('Cache-Control', 'no-store')
  ctx.type = 'text/html'
  ctx.body = html
}
