import type { Router } from '@koa/router'
import type { Context } from 'koa'
import { allows } from '../accounts/permissions.ts'
import { HyperactiveError } from '../errors.ts'
import { kindAt, kindOf } from '../kinds/base/registry.ts'
import { isHash } from '../ledger/document.ts'
import { isItemId } from '../ledger/item-id.ts'
import { keyFromSeed } from '../ledger/keys.ts'
import type { SigningKey } from '../ledger/keys.ts'
import { logger } from '../log.ts'
import { itemModel, pathOf } from '../pages/models.ts'
import type { SiteItem } from '../project/site-item.ts'
import { attemptOf, refusalOf } from './abuse/on-forms.ts'
import type { WebContext } from './context.ts'
import { MOST_FIELDS_WITH_FILES, readForm, redirect } from './form.ts'
import type { Form } from './form.ts'
import { filesOfForm } from './form-files.ts'
import { previewItem, showForm } from './form-page.ts'
import type { FormState } from './form-page.ts'
import { filesToSave } from './item-files.ts'
import { checkInput, inputOf, readInput } from './item-form.ts'
import type { CheckedInput } from './item-form.ts'
import { anyItemOf, authorOf, authorsItem, isShut, itemOf } from './item-of.ts'
import { may, mayOn } from './may.ts'
import { localPath, publicUrl, showPage, wordingFor } from './page.ts'
import type { PageRequest } from './page.ts'
import { personOf } from './people/person.ts'
import {
  editorsPublication,
  emptyInput,
  givenIn,
  GROUPS_KINDS,
  inputForTranslation,
  membersPublication,
  offeredKinds,
  originalFor,
  partOf,
  publicationOf,
} from './publication.ts'
import type { Publication } from './publication.ts'
import { standsFor } from './relations.ts'
import { newTags, saveEdit, saveNew } from './saving.ts'
import { isCrossSite } from './security.ts'
import { Submissions } from './submissions.ts'
import { FormTokens } from './token.ts'

const log = logger('web')

/** What an item's history says of who edited it without its link. */
const NOTES = {
  editor: 'By an editor',
  member: 'By a member of the group',
  translator: 'By a translator',
} as const

/** The forms to publish and to edit, and the page that hands out the secret edit link. */
export function publishPages(router: Router, web: WebContext): void {
  const tokens = new FormTokens(web.nodeKey)
  const submissions = new Submissions()
  const { uploads } = web.media
  const show = (ctx: Context, state: FormState) => showForm(ctx, web, tokens, state)

  router.get('/publish', may('publish'), async (ctx) => {
    const title = wordingFor(ctx).t('publish.title')
    await showPage(ctx, web, 'publish', { kinds: offeredKinds(), title, current: 'publish' })
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

  router.get('/groups/:item/publish', mayOn('publish-in-group', web), async (ctx) =>
    offer(ctx, await itemOf(ctx, web)),
  )
  // By name, so that these addresses are never taken for those with a secret.
  for (const kind of GROUPS_KINDS) {
    const address = `/groups/:item/publish/${kind.name}`
    router.get(address, mayOn('publish-in-group', web), async (ctx) => {
      const publication = membersPublication(kind, await itemOf(ctx, web), web)
      await show(ctx, { kind, action: ctx.path, input: emptyInput(publication, web) })
    })
    router.post(address, mayOn('publish-in-group', web), async (ctx) =>
      publish(ctx, membersPublication(kind, await itemOf(ctx, web), web)),
    )
  }
  router.get('/groups/:item/publish/:secret', may('publish'), async (ctx) => {
    await offer(ctx, await authorsItem(ctx, web))
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

  // Editors, members of the item's group and translators sign with the key of their node.
  router.get('/:kind/:item/edit', mayOn('edit-any', web), async (ctx) =>
    showEdit(ctx, await anyItemOf(ctx, web)),
  )
  router.post('/:kind/:item/edit', mayOn('edit-any', web), (ctx) =>
    edit(ctx, web.nodeKey, standsFor(ctx, 'edit-any')),
  )
  router.get('/office/publish/:kind', may('publish-pages'), async (ctx) => {
    const publication = editorsPublication(ctx, web)
    await show(ctx, { kind: publication.kind, action: ctx.path, input: emptyInput(publication, web) })
  })
  router.post('/office/publish/:kind', may('publish-pages'), (ctx) =>
    publish(ctx, editorsPublication(ctx, web)),
  )

  async function offer(ctx: PageRequest, group: SiteItem): Promise<void> {
    const title = wordingFor(ctx).t('publish.inGroup', { group: group.listing.title })
    const model = { kinds: GROUPS_KINDS, title, action: ctx.path, robots: 'noindex' }
    await showPage(ctx, web, 'publish', model, { store: false })
  }

  async function showEdit(ctx: PageRequest & Context, item: SiteItem): Promise<void> {
    const kind = partOf(ctx, kindOf(item.kind), item)
    const input = inputOf(item.fields, kind)
    const { secret } = ctx.params
    await show(ctx, { kind, action: ctx.path, input, item, secret, parents: item.heads.join(' ') })
  }

  async function edit(
    ctx: PageRequest & Context,
    author: SigningKey | undefined,
    role?: keyof typeof NOTES,
  ): Promise<void> {
    const form = await readForm(ctx, web.config.limits.formBytes, MOST_FIELDS_WITH_FILES)
    const { t } = wordingFor(ctx)
    const item = author && (await web.site.anyItem(ctx.params.item ?? ''))
    const kind = partOf(ctx, kindAt(ctx.params.kind ?? ''), item)
    const input = readInput(form, kind)
    // Where an item belongs is its author's business, and the editors'.
    if (item && (role === 'member' || role === 'translator')) Object.assign(input, givenIn(item.fields, kind))
    if (!author || item?.kind !== kind.name || isShut(item)) {
      const notice = t(author ? 'form.notHereYet' : 'form.wrongLink')
      const action = `/publish/${kind.name}`
      await show(ctx, { kind, action, input, notice, status: author ? 404 : 403 })
      return
    }
    const parents = (form.get('parents') ?? '')
      .split(' ')
      .filter((hash) => isHash(hash) && hash in item.graph)
    const { secret } = ctx.params
    const answer = form.get('answer')
    const files = await filesOfForm(ctx, web, { kind, form, item })
    const state: FormState = {
      kind,
      action: ctx.path,
      input,
      item,
      files,
      secret,
      parents: parents.join(' '),
      answer,
    }
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
          const saved = await filesToSave(files.files, { ...web, uploads, action: ctx.path, item })
          await saveEdit(web, item, { parents, fields, files: saved, author, note: role && NOTES[role] })
          return pathOf(item.kind, item._id)
        }),
      )
      await uploads?.release(files.fresh)
      redirect(ctx, localPath(ctx, location))
    })
  }

  async function publish(ctx: PageRequest & Context, publication: Publication): Promise<void> {
    const { kind, given, author: ownKey, fields: more } = publication
    const form = await readForm(ctx, web.config.limits.formBytes, MOST_FIELDS_WITH_FILES)
    const input = { ...readInput(form, kind), ...given }
    const files = await filesOfForm(ctx, web, { kind, form })
    const state: FormState = { kind, action: ctx.path, input, files, answer: form.get('answer') }
    const checked = checkInput(input, kind, { wording: wordingFor(ctx) })
    if (await stopped(ctx, form, state, checked)) return
    const fields = { ...checked.fields, ...more }
    const tags = newTags(fields, web)
    const attempt = attemptOf(ctx, form, { activity: 'publish', tags, repeats: true })
    const { token } = attempt
    await orGiveBack(ctx, state, async () => {
      const location = await submissions.once(token, () =>
        web.gate.pass(attempt, wordingFor(ctx), async () => {
          const secret = tokens.authorSecret(token)
          const author = ownKey ?? keyFromSeed(secret)
          const startedMs = tokens.issuedAt(token)
          const saved = await filesToSave(files.files, { ...web, uploads, action: ctx.path })
          const salt = secret.subarray(0, 2)
          const item = await saveNew(web, { kind, fields, files: saved, author, startedMs, salt })
          // Whoever makes a group while signed in is its first member.
          const person = personOf(ctx)
          if (kind.name === 'group' && person && allows('own-account', person.roles))
            await web.people.joinGroup(person.account.id, item)
          if (ownKey === web.nodeKey) return pathOf(kind.name, item)
          const inLink = ownKey ? (ctx.params.secret ?? '') : secret.toString('base64url')
          return `${pathOf(kind.name, item)}/published/${inLink}`
        }),
      )
      // Of a form that is sent a second time nothing more is wanted.
      await uploads?.release(files.fresh)
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
    } else if (form.get('action') === 'add' && !state.files?.problems.length) {
      await show(ctx, state)
    } else if (
      Object.keys({ ...errors, ...state.files?.errors }).length > 0 &&
      form.get('action') !== 'add'
    ) {
      await show(ctx, { ...state, errors, status: 422 })
    } else if (state.files?.problems.length) {
      await show(ctx, { ...state, status: 422 })
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
