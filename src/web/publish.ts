import type { Router } from '@koa/router'
import type { Context } from 'koa'
import { HyperactiveError } from '../errors.ts'
import { allKinds, kindAt, kindOf } from '../kinds/base/registry.ts'
import type { Input, Kind } from '../kinds/base/kind.ts'
import { isHash } from '../ledger/document.ts'
import { isItemId } from '../ledger/item-id.ts'
import { keyFromSeed } from '../ledger/keys.ts'
import type { SigningKey } from '../ledger/keys.ts'
import { logger } from '../log.ts'
import { itemModel, pathOf } from '../pages/models.ts'
import type { SiteItem } from '../project/site-item.ts'
import { attemptOf, refusalOf } from './abuse/on-forms.ts'
import type { WebContext } from './context.ts'
import { originalOf } from './extras.ts'
import { readForm, redirect } from './form.ts'
import type { Form } from './form.ts'
import { previewItem, showForm } from './form-page.ts'
import type { FormState } from './form-page.ts'
import { checkInput, inputOf, readInput } from './item-form.ts'
import type { CheckedInput } from './item-form.ts'
import { anyItemOf, authorOf, authorsItem } from './item-of.ts'
import { localPath, publicUrl, showPage, wordingFor } from './page.ts'
import type { PageRequest } from './page.ts'
import { newTags, saveEdit, saveNew } from './saving.ts'
import { isCrossSite } from './security.ts'
import { Submissions } from './submissions.ts'
import { FormTokens } from './token.ts'
import { may } from './may.ts'

const log = logger('web')

/** The order in which the page that leads to the forms offers the kinds. */
const OFFERED = ['article', 'event', 'link', 'photo', 'audio', 'video', 'group']

function rank({ name }: Kind): number {
  return OFFERED.includes(name) ? OFFERED.indexOf(name) : OFFERED.length
}

/** What a form publishes: its kind, and the key that signs it where the form does not make one. */
interface Publication {
  kind: Kind
  author?: SigningKey
  /** Fields that the address of the form gives. */
  given: Input
}

/** The forms to publish and to edit, and the page that hands out the secret edit link. */
export function publishPages(router: Router, web: WebContext): void {
  const tokens = new FormTokens(web.nodeKey)
  const submissions = new Submissions()
  const show = (ctx: Context, state: FormState) => showForm(ctx, web, tokens, state)

  router.get('/publish', may('publish'), async (ctx) => {
    const kinds = allKinds().filter(({ by }) => by === 'anyone')
    const offered = kinds.sort((a, b) => rank(a) - rank(b))
    const title = wordingFor(ctx).t('publish.title')
    await showPage(ctx, web, 'publish', { kinds: offered, title, current: 'publish' })
  })

  router.get('/publish/:kind', may('publish'), async (ctx) => {
    const publication = publicationOf(ctx)
    const original = await originalFor(ctx, web)
    const input = emptyInput(publication, web)
    const group = String(ctx.query.group ?? '')
    if ('group' in input && isItemId(group)) input.group = group
    if (original) Object.assign(input, inputForTranslation(original, publication.kind))
    await show(ctx, { kind: publication.kind, action: ctx.path, input, ...(original ? { original } : {}) })
  })
  router.post('/publish/:kind', may('publish'), (ctx) => publish(ctx, publicationOf(ctx)))

  router.get('/groups/:item/publish/:secret', may('publish'), async (ctx) => {
    const group = await authorsItem(ctx, web)
    const kinds = allKinds().filter(({ by, name }) => by === 'anyone' && name !== 'group')
    const title = wordingFor(ctx).t('publish.inGroup', { group: group.listing.title })
    const model = { kinds, title, action: ctx.path, robots: 'noindex' }
    await showPage(ctx, web, 'publish', model, { store: false })
  })
  router.get('/groups/:item/publish/:secret/:kind', may('publish'), async (ctx) => {
    await authorsItem(ctx, web)
    const publication = publicationOf(ctx)
    await show(ctx, { kind: publication.kind, action: ctx.path, input: emptyInput(publication, web) })
  })
  router.post('/groups/:item/publish/:secret/:kind', may('publish'), async (ctx) => {
    await authorsItem(ctx, web)
    await publish(ctx, publicationOf(ctx))
  })

  router.get('/:kind/:item/published/:secret', may('edit-by-link'), async (ctx) => {
    const item = await authorsItem(ctx, web)
    const path = pathOf(item.kind, item._id)
    const secret = ctx.params.secret ?? ''
    const model = {
      title: item.listing.title,
      kind: item.kind,
      path,
      link: `${publicUrl(ctx, web)}${path}/edit/${secret}`,
      withdrawLink: `${path}/withdraw/${secret}`,
      awaiting: item.standing.closed === 'awaiting',
      groupLink: item.kind === 'group' ? `${publicUrl(ctx, web)}${path}/publish/${secret}` : undefined,
      robots: 'noindex',
    }
    await showPage(ctx, web, 'published', model, { store: false })
  })

  router.get('/:kind/:item/edit/:secret{/:part}', may('edit-by-link'), async (ctx) =>
    showEdit(ctx, await authorsItem(ctx, web)),
  )
  router.post('/:kind/:item/edit/:secret{/:part}', may('edit-by-link'), (ctx) => edit(ctx, authorOf(ctx)))

  // Editors sign with the key of their node.
  router.get('/:kind/:item/edit', may('edit-any'), async (ctx) => showEdit(ctx, await anyItemOf(ctx, web)))
  router.post('/:kind/:item/edit', may('edit-any'), (ctx) => edit(ctx, web.nodeKey, 'By an editor'))
  router.get('/office/publish/:kind', may('publish-pages'), async (ctx) => {
    const publication = editorsPublication(ctx, web)
    await show(ctx, { kind: publication.kind, action: ctx.path, input: emptyInput(publication, web) })
  })
  router.post('/office/publish/:kind', may('publish-pages'), (ctx) =>
    publish(ctx, editorsPublication(ctx, web)),
  )

  async function showEdit(ctx: PageRequest & Context, item: SiteItem): Promise<void> {
    const kind = partOf(ctx, kindOf(item.kind), item)
    const input = inputOf(item.fields, kind)
    await show(ctx, { kind, action: ctx.path, input, item, parents: item.heads.join(' ') })
  }

  async function edit(
    ctx: PageRequest & Context,
    author: SigningKey | undefined,
    note?: string,
  ): Promise<void> {
    const form = await readForm(ctx, web.config.limits.formBytes)
    const { t } = wordingFor(ctx)
    const item = author && (await web.site.anyItem(ctx.params.item ?? ''))
    const kind = partOf(ctx, kindAt(ctx.params.kind ?? ''), item)
    const input = readInput(form, kind)
    if (
      !author ||
      item?.kind !== kind.name ||
      item.standing.closed === 'concealed' ||
      item.standing.closed === 'erased'
    ) {
      const notice = t(author ? 'form.notHereYet' : 'form.wrongLink')
      const action = `/publish/${kind.name}`
      await show(ctx, { kind, action, input, notice, status: author ? 404 : 403 })
      return
    }
    const parents = (form.get('parents') ?? '')
      .split(' ')
      .filter((hash) => isHash(hash) && hash in item.graph)
    const answer = form.get('answer')
    const state: FormState = { kind, action: ctx.path, input, item, parents: parents.join(' '), answer }
    const checked = checkInput(input, kind, { before: item.fields, wording: wordingFor(ctx) })
    if (await stopped(ctx, form, state, checked)) return
    if (parents.length === 0) {
      const notice = t('form.noParents')
      await show(ctx, { ...state, parents: item.heads.join(' '), notice, status: 422 })
      return
    }
    const { fields } = checked
    await orGiveBack(ctx, state, async () => {
      const tags = newTags(fields, web, item)
      const attempt = attemptOf(ctx, form, { activity: 'edit', item: item._id, tags })
      const location = await submissions.once(attempt.token, () =>
        web.gate.pass(attempt, wordingFor(ctx), async () => {
          await saveEdit(web, item, { parents, fields, author, note })
          return pathOf(item.kind, item._id)
        }),
      )
      redirect(ctx, localPath(ctx, location))
    })
  }

  async function publish(ctx: PageRequest & Context, publication: Publication): Promise<void> {
    const { kind, given, author: ownKey } = publication
    const form = await readForm(ctx, web.config.limits.formBytes)
    const input = { ...readInput(form, kind), ...given }
    const state: FormState = { kind, action: ctx.path, input, answer: form.get('answer') }
    const checked = checkInput(input, kind, { wording: wordingFor(ctx) })
    if (await stopped(ctx, form, state, checked)) return
    const { fields } = checked
    const tags = newTags(fields, web)
    const attempt = attemptOf(ctx, form, { activity: 'publish', tags, repeats: true })
    const { token } = attempt
    await orGiveBack(ctx, state, async () => {
      const location = await submissions.once(token, () =>
        web.gate.pass(attempt, wordingFor(ctx), async () => {
          const secret = tokens.authorSecret(token)
          const author = ownKey ?? keyFromSeed(secret)
          const startedMs = tokens.issuedAt(token)
          const item = await saveNew(web, { kind, fields, author, startedMs, salt: secret.subarray(0, 2) })
          if (ownKey === web.nodeKey) return pathOf(kind.name, item)
          const inLink = ownKey ? (ctx.params.secret ?? '') : secret.toString('base64url')
          return `${pathOf(kind.name, item)}/published/${inLink}`
        }),
      )
      redirect(ctx, localPath(ctx, location))
    })
  }

  /** Shows the form again when it may not or shall not be saved now, with all that was typed. */
  async function stopped(
    ctx: Context,
    form: Form,
    state: FormState,
    { fields, errors }: CheckedInput,
  ): Promise<boolean> {
    const { t } = wordingFor(ctx)
    if (isCrossSite(ctx, web.config.url)) {
      await show(ctx, { ...state, notice: t('form.crossSite'), status: 403 })
    } else if (!tokens.isValid(form.get('token') ?? '', state.action)) {
      await show(ctx, { ...state, notice: t('form.staleToken'), status: 403 })
    } else if (Object.keys(errors).length > 0) {
      await show(ctx, { ...state, errors, status: 422 })
    } else if (form.get('action') === 'preview') {
      const at = web.ledger.clock.now()
      const item = state.item ?? previewItem(state.kind, at)
      await show(ctx, { ...state, preview: itemModel(item, wordingFor(ctx), fields) })
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
      const refusal = refusalOf(ctx, error)
      if (refusal) return show(ctx, { ...state, ...refusal })
      const code = error instanceof HyperactiveError ? error.code : 'unexpected'
      log.error('an edit could not be saved', { code })
      const notice = wordingFor(ctx).t('form.notSaved')
      ctx.set('Retry-After', '10')
      await show(ctx, { ...state, notice, status: 503 })
    }
  }
}

/** What the address of a form to publish says: the kind, and the group whose link it holds. */
function publicationOf(ctx: PageRequest): Publication {
  const kind = kindOf(ctx.params.kind ?? '')
  if (kind?.by !== 'anyone') throw unknownForm(ctx)
  const { item, secret } = ctx.params
  const author = secret === undefined ? undefined : authorOf(ctx)
  return { kind, given: item === undefined ? {} : { group: item }, ...(author ? { author } : {}) }
}

/** What editors publish in the name of their node, such as pages and alerts. */
function editorsPublication(ctx: PageRequest, { nodeKey }: WebContext): Publication {
  const kind = kindOf(ctx.params.kind ?? '')
  if (kind?.by !== 'editors' || kind.name === 'term') throw unknownForm(ctx)
  return { kind, given: {}, author: nodeKey }
}

function emptyInput({ kind, given }: Publication, web: WebContext): Input {
  const { language, timeZone } = web.config.site
  const shown = inputOf({}, kind)
  return { ...shown, language, ...('zone' in shown ? { zone: timeZone } : {}), ...given }
}

/** The original that a form to publish a translation names, at its root. */
async function originalFor(ctx: PageRequest, { site }: WebContext): Promise<SiteItem | undefined> {
  const named = String(ctx.query.translation ?? '')
  const item = isItemId(named) ? await site.item(named) : undefined
  return item && originalOf(item) !== item._id ? site.item(originalOf(item)) : item
}

function inputForTranslation(original: SiteItem, kind: Kind): Input {
  const { tags, places, author } = original.fields
  const { title: _, summary: __, body: ___, dayOnly: ____, ...rest } = original.fields
  const fields = original.kind === kind.name ? rest : { tags, places, author }
  return { ...inputOf({ ...fields, translationOf: original._id }, kind), language: '' }
}

/** The kind as the form at this address has it: whole, or as that of one part, such as an occurrence of a series. */
function partOf(ctx: PageRequest, kind: Kind | undefined, item?: SiteItem): Kind {
  const { part } = ctx.params
  const found = part === undefined ? kind : kind?.part?.(item?.fields ?? {}, part)
  if (!found) throw unknownForm(ctx)
  return found
}

function unknownForm(ctx: PageRequest): HyperactiveError {
  return new HyperactiveError('unknown_kind', wordingFor(ctx).t('error.unknownKind'), { status: 404 })
}
