import { randomBytes } from 'node:crypto'
import { Router } from '@koa/router'
import type { ParameterizedContext } from 'koa'
import { isDay } from '../calendar/wall-time.ts'
import { HyperactiveError } from '../errors.ts'
import { kindOf } from '../kinds/base/registry.ts'
import type { Kind } from '../kinds/base/kind.ts'
import { normaliseTerm, uniqueTerms } from '../kinds/base/vocabulary.ts'
import { isHybridTime } from '../ledger/clock.ts'
import { plainDataProblem } from '../ledger/document.ts'
import type { Fields } from '../ledger/document.ts'
import { belongsTo, isItemId } from '../ledger/item-id.ts'
import { keyFromSecret, keyFromSeed } from '../ledger/keys.ts'
import { pathOf, placeText } from '../pages/models.ts'
import type { SiteItem } from '../project/site-item.ts'
import { today } from '../web/calendar.ts'
import { isOpen } from '../web/comments.ts'
import type { WebContext } from '../web/context.ts'
import { translationsOf } from '../web/extras.ts'
import { fieldProblems } from '../web/item-form.ts'
import { commentsOn, findListing, pageQuery } from '../web/listing-pages.ts'
import { groupScope, LISTINGS } from '../web/listings.ts'
import { publicUrl, wordingFor } from '../web/page.ts'
import { newTags, saveComment, saveEdit, saveNew } from '../web/saving.ts'
import { askedOf, searched, shown } from '../web/search.ts'
import { isCrossSite } from '../web/security.ts'
import { Submissions } from '../web/submissions.ts'
import { FormTokens } from '../web/token.ts'
import { jsonErrors, readBody, UnfitBody } from './answers.ts'
import { editBody, newComment, newItem } from './bodies.ts'
import type { Proof } from './bodies.ts'
import { CHALLENGE, filesNamed, uploadOf } from './files.ts'
import { commentOf, entryOf, foundOf, itemOf, occurrenceOf } from './models.ts'
import type { ApiItem } from './models.ts'
import { describeApi } from './openapi.ts'
import { API } from './operations.ts'
import { may } from '../web/may.ts'

/** Rows of an answer. */
const ROWS = 50
const MOST_NAMES = 1_000
const VOCABULARIES = new Set(['tag', 'place', 'author', 'language', 'group', 'month'])
const FAR = '9999-12-31'

type ApiContext = ParameterizedContext & { params: Record<string, string | undefined> }

/** Reads and publishes as the pages do, for programs. */
export function apiRouter(web: WebContext): Router {
  const { site, index, config } = web
  const router = new Router({ prefix: API })
  const submissions = new Submissions()
  const tokens = new FormTokens(web.nodeKey)
  router.use(jsonErrors)
  router.use(async (ctx, next) => {
    // Reading is open to pages of other sites. Writing is not: a browser asks before it sends JSON elsewhere.
    ctx.set('Access-Control-Allow-Origin', '*')
    ctx.set('Cache-Control', 'no-cache')
    if (ctx.method === 'POST' && isCrossSite(ctx, config.url))
      throw new HyperactiveError('cross_site', 'Pages of other sites do not publish here.', { status: 403 })
    if (ctx.method === 'POST' && config.mirror) {
      const text = `This node is a mirror. Publish on ${config.mirror.publishAt.join(' or ')}.`
      throw new HyperactiveError('is_mirror', text, { status: 403 })
    }
    await next()
  })

  router.get('/openapi.json', may('read'), (ctx) => {
    ctx.body = describeApi({ name: config.site.name, url: publicUrl(ctx, web) })
  })

  router.get('/names/:vocabulary', may('read'), (ctx) => {
    const { vocabulary = '' } = ctx.params
    if (!VOCABULARIES.has(vocabulary)) throw notFound()
    ctx.body = { names: index.top(vocabulary, MOST_NAMES).map(({ name, count }) => ({ name, count })) }
  })

  router.get('/calendar', may('read'), async (ctx) => {
    const { from = today(web), to = FAR, after } = ctx.query
    if (!isDay(String(from)) || (to !== FAR && !isDay(String(to))))
      throw new HyperactiveError('bad_query', '"from" and "to" are days such as 2026-11-23.', { status: 400 })
    const { rows, next } = await site.calendar(await calendarScope(ctx), {
      from: String(from),
      to: String(to),
      limit: ROWS,
      ...(after === undefined ? {} : { after: rowKey(String(after)) }),
    })
    const here = new URL(publicUrl(ctx, web) + ctx.path + ctx.search)
    if (next) here.searchParams.set('after', JSON.stringify(next))
    ctx.body = {
      occurrences: rows.map((row) => occurrenceOf(row, publicUrl(ctx, web))),
      ...(next ? { later: here.href } : {}),
    }
  })

  router.get('/search', may('read'), async (ctx) => {
    const wording = wordingFor(ctx)
    const { page, problem } = searched(ctx, web, askedOf(ctx), ROWS)
    if (!page)
      throw new HyperactiveError('bad_query', problem ?? 'Nothing is looked for: give "q" or a filter.', {
        status: 400,
      })
    const url = publicUrl(ctx, web)
    const here = new URL(url + ctx.path + ctx.search)
    if (page.next) here.searchParams.set('after', page.next)
    ctx.body = {
      results: (await shown(page.results, web, wording)).map((result) => foundOf(result, url)),
      found: page.found,
      capped: page.capped,
      notices: page.notices,
      ...(page.next ? { more: here.href } : {}),
    }
  })

  router.get('/items/:item', may('read'), async (ctx) => {
    ctx.body = await modelOf(ctx, await askedItem(ctx))
  })

  router.get('/items/:item/comments', may('read'), async (ctx) => {
    const item = await askedItem(ctx)
    const url = publicUrl(ctx, web)
    const [, at = '', hash = ''] = /^(.{1,40}?)_([0-9a-f]{40})$/.exec(String(ctx.query.after)) ?? []
    const rows = await site.comments(item._id, ROWS + 1, isHybridTime(at) ? { at, hash } : undefined)
    const shown = rows.slice(0, ROWS)
    const last = shown.at(-1)
    const more =
      rows.length > ROWS && last && `${url}${ctx.path}?after=${encodeURIComponent(`${last.at}_${last.hash}`)}`
    ctx.body = { comments: shown.map((row) => commentOf(item._id, row, url)), ...(more ? { more } : {}) }
  })

  router.get('/challenge', may('read'), (ctx) => {
    ctx.set('Cache-Control', 'no-store')
    const needed = {
      publish: web.gate.asks('publish'),
      edit: web.gate.asks('edit'),
      comment: web.gate.asks('comment'),
    }
    ctx.body = { token: tokens.issue(CHALLENGE), workBits: web.gate.workBits, needed }
  })

  router.post('/files', may('publish'), async (ctx) => {
    const { uploads } = web.media
    if (!uploads) throw notFound()
    web.gate.takeUpload(false, wordingFor(ctx))
    await using received = await uploads.receive(ctx.req, String(ctx.query.name ?? ''))
    created(ctx, uploadOf(await uploads.take(received, CHALLENGE)))
  })

  router.post('/items', may('publish'), async (ctx) => {
    const { kind: name, fields, files, ...proof } = await readBody(ctx, newItem, config.limits.formBytes)
    const kind = kindOf(name)
    if (!kind) throw notFound()
    const tidy = checked(kind, fields)
    const named = filesNamed(web.media, tidy, files)
    const asked = idempotencyKey(ctx)
    const attempt = { activity: 'publish', tags: newTags(tidy, web), ...proven(proof) } as const
    const work = async () => {
      const secret = randomBytes(32)
      const author = keyFromSeed(secret)
      const item = await saveNew(web, {
        kind,
        fields: tidy,
        files: named,
        author,
        startedMs: Date.now(),
        salt: secret.subarray(0, 2),
      })
      return JSON.stringify({ item, secret: secret.toString('base64url') })
    }
    const pass = () => web.gate.pass(attempt, wordingFor(ctx), work)
    const outcome = asked === undefined ? await pass() : await submissions.once(asked, pass)
    const { item: id, secret } = JSON.parse(outcome) as { item: string; secret: string }
    const item = await site.item(id)
    if (!item)
      throw new HyperactiveError('not_here_yet', 'It is saved, and will be here in a moment.', {
        status: 503,
      })
    const editUrl = `${publicUrl(ctx, web)}${pathOf(name, id)}/edit/${secret}`
    created(ctx, { item: await modelOf(ctx, item), secret, editUrl })
  })

  router.post('/items/:item/edits', may('edit-by-link'), async (ctx) => {
    const item = await askedItem(ctx)
    const author = keyFromSecret(/^Bearer (\S{1,100})$/i.exec(ctx.get('authorization'))?.[1] ?? '')
    if (!author || !belongsTo(item._id, author.publicKey))
      throw new HyperactiveError('wrong_edit_link', 'The secret does not belong to this item.', {
        status: 403,
      })
    const body = await readBody(ctx, editBody, config.limits.formBytes)
    const { parents, fields: sent, files, note, ...proof } = body
    const strange = parents.filter((hash) => !(hash in item.graph))
    if (strange.length > 0)
      throw new UnfitBody({ parents: `name versions that are not here: ${strange.join(', ')}` })
    const kind = kindOf(item.kind)
    if (!kind) throw notFound()
    const fields = checked(kind, sent)
    const named = filesNamed(web.media, fields, files)
    const tags = newTags(fields, web, item)
    const attempt = { activity: 'edit', item: item._id, tags, ...proven(proof) } as const
    await web.gate.pass(attempt, wordingFor(ctx), () =>
      saveEdit(web, item, { parents, fields, files: named, author, note }),
    )
    created(ctx, { item: await modelOf(ctx, (await site.item(item._id)) ?? item) })
  })

  router.post('/items/:item/comments', may('comment'), async (ctx) => {
    const item = await askedItem(ctx)
    if (!isOpen(item, web.policy))
      throw new HyperactiveError('comments_closed', 'This takes no comments.', { status: 403 })
    const { fields, inReplyTo, ...proof } = await readBody(ctx, newComment, config.limits.formBytes)
    if (inReplyTo !== undefined && !(await site.comment(item._id, inReplyTo)))
      throw new UnfitBody({ inReplyTo: 'names a comment that is not here' })
    const attempt = { activity: 'comment', item: item._id, ...proven(proof) } as const
    const hash = await web.gate.pass(attempt, wordingFor(ctx), () =>
      saveComment(web, item, { fields, inReplyTo }),
    )
    const comment = await site.comment(item._id, hash)
    if (!comment)
      throw new HyperactiveError('not_here_yet', 'It is saved, and will be here in a moment.', {
        status: 503,
      })
    created(ctx, commentOf(item._id, comment, publicUrl(ctx, web)))
  })

  for (const route of LISTINGS) {
    router.get(route.pattern, may('read'), async (ctx, next) => {
      const found = await findListing(ctx, web, route, (path) => API + path)
      if (found === undefined) await next()
      if (found === undefined || found === 'elsewhere') return
      const page = await site.list(found.scope, pageQuery(ctx, ROWS))
      const comments = commentsOn(page, web)
      const url = publicUrl(ctx, web)
      const at = (query: string) => `${url}${ctx.path}?${query}`
      ctx.body = {
        title: found.title,
        url: url + found.path,
        entries: page.rows.map((row) => entryOf(row, url, comments)),
        ...(page.newer ? { newer: at(`after=${placeText(page.newer)}`) } : {}),
        ...(page.older ? { older: at(`before=${placeText(page.older)}`) } : {}),
      }
    })
  }
  router.all('/{*rest}', may('read'), () => {
    throw notFound()
  })
  return router

  /** The proof that a body brings; a token that is not this node's, or too old, proves nothing. */
  function proven({ challenge = '', work }: Proof) {
    return { token: tokens.isValid(challenge, CHALLENGE) ? challenge : '', work }
  }

  async function askedItem(ctx: ApiContext): Promise<SiteItem> {
    const { item: id = '' } = ctx.params
    const item = isItemId(id) ? await site.item(id) : undefined
    if (item) return item
    throw new HyperactiveError('unknown_item', wordingFor(ctx).t('error.unknownItem'), { status: 404 })
  }

  async function modelOf(ctx: ApiContext, item: SiteItem): Promise<ApiItem> {
    const url = publicUrl(ctx, web)
    const { of } = await translationsOf(item, web, wordingFor(ctx))
    const translations = of.map(({ path, language, title }) => ({ url: url + path, language, title }))
    const comments = index.counts('comments', [item._id]).get(item._id) ?? 0
    return itemOf(item, url, { comments, translations })
  }

  async function calendarScope(ctx: ApiContext): Promise<string> {
    const { tag, place, group } = ctx.query
    const terms = web.terms()
    if (tag !== undefined) return `tag:${encodeURIComponent(terms.nameOf('tag', normaliseTerm(String(tag))))}`
    if (place !== undefined)
      return `place:${encodeURIComponent(terms.nameOf('place', normaliseTerm(String(place))))}`
    if (group === undefined) return ''
    const item = isItemId(String(group)) ? await site.item(String(group)) : undefined
    if (item?.kind !== 'group' || item.standing.hidden) throw notFound()
    return `group:${encodeURIComponent(groupScope(item))}`
  }
}

/**
 * Fields as a program sent them, with tags and places in the form in which they are stored.
 *
 * @throws {@link UnfitBody}
 */
function checked(kind: Kind, sent: Fields): Fields {
  const fields: Fields = { tags: [], ...sent }
  for (const name of ['tags', 'places']) {
    const { [name]: value } = fields
    if (Array.isArray(value) && value.every((entry) => typeof entry === 'string'))
      fields[name] = uniqueTerms(value)
  }
  const problems = fieldProblems(fields, kind).map(({ name, problem }) => [`fields.${name}`, problem])
  const plain = plainDataProblem(fields)
  if (plain !== undefined) problems.push(['fields', plain])
  if (problems.length > 0) throw new UnfitBody(Object.fromEntries(problems) as Record<string, string>)
  return fields
}

function created(ctx: ParameterizedContext, body: object): void {
  ctx.status = 201
  ctx.set('Cache-Control', 'no-store')
  ctx.body = body
}

/**
 * What makes a repeated request publish once. Whoever sends it again gets the item's secret again, so it has to be one
 * that nobody guesses.
 */
function idempotencyKey(ctx: ParameterizedContext): string | undefined {
  const key = ctx.get('idempotency-key')
  if (key === '' || /^[\x21-\x7e]{22,200}$/.test(key)) return key || undefined
  const reason =
    'An Idempotency-Key is a random text of 22 to 200 letters and digits: it is as secret as an edit link.'
  throw new HyperactiveError('bad_idempotency_key', reason, { status: 400 })
}

/** The key of a row of the calendar as an answer's `later` has it. */
function rowKey(text: string): readonly unknown[] {
  try {
    const key: unknown = JSON.parse(text)
    if (Array.isArray(key) && key.length === 5 && key.every((part) => typeof part === 'string')) return key
  } catch {
    // Said below.
  }
  throw new HyperactiveError(
    'bad_place',
    'This is not a place in the calendar. Start again without "after".',
    { status: 400 },
  )
}

function notFound(): HyperactiveError {
  return new HyperactiveError('not_found', 'There is nothing at this address.', { status: 404 })
}
