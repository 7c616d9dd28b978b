import type { Router } from '@koa/router'
import type { ParameterizedContext } from 'koa'
import type { PouchDatabase } from 'pouchdb-node'
import { allDocsHead, allDocsPages } from './all-docs.ts'
import { answerRows } from './answer-rows.ts'
import { CouchAnswer, flag, readJson, refuseMethod } from './answers.ts'
import { bulkDocs, bulkGet, newId, revsDiff } from './bulk.ts'
import { answerChanges } from './changes.ts'
import { checkDocument, checkSize, mayBeTooLarge } from './check-document.ts'
import { markWritten } from './databases.ts'
import type { Databases, OpenDatabase } from './databases.ts'
import { readRange } from './ranges.ts'
import type { Range } from './ranges.ts'
import { cleanUpViews, queryView } from './views.ts'

type Handler = (ctx: ParameterizedContext, database: OpenDatabase, params: Params) => void | Promise<void>
type Params = Record<string, string>

const SECURITY = '_local/_security'

/** Routes of whole databases. */
export function databaseRoutes(router: Router, databases: Databases): void {
  router.put('/:db', async (ctx) => {
    await databases.create(ctx.params.db ?? '')
    ctx.status = 201
    ctx.body = { ok: true }
  })
  router.delete('/:db', async (ctx) => {
    await databases.remove(ctx.params.db ?? '')
    ctx.body = { ok: true }
  })
  /** Routes one address; a method that is not named is a 405 there, and never a document's. */
  const route = (path: string, handlers: { get?: Handler; post?: Handler; put?: Handler }) => {
    for (const method of ['get', 'post', 'put'] as const) {
      const handler = handlers[method]
      if (handler) {
        router[method](path, (ctx) => handler(ctx, databases.get(ctx.params.db ?? ''), ctx.params as Params))
      }
    }
    if (path === '/:db') return
    const allowed = Object.keys(handlers).map((method) =>
      method === 'get' ? 'GET,HEAD' : method.toUpperCase(),
    )
    router.all(path, (ctx) => refuseMethod(ctx, allowed.join(',')))
  }

  route('/:db', {
    async get(ctx, { name }) {
      ctx.body = await databases.info(name)
    },
    post: postDocument,
  })
  route('/:db/_all_docs', { get: answerAllDocs, post: answerAllDocs })
  route('/:db/_all_docs/queries', { post: answerQueries })
  route('/:db/_bulk_docs', { post: answerBulkDocs })
  route('/:db/_bulk_get', {
    async post(ctx, { pouch }) {
      const revs = flag('revs', ctx.query.revs) ?? false
      const latest = flag('latest', ctx.query.latest) ?? false
      ctx.body = await bulkGet(pouch, await readJson(ctx), { revs, latest })
    },
  })
  route('/:db/_revs_diff', {
    async post(ctx, { pouch }) {
      ctx.body = await revsDiff(pouch, await readJson(ctx))
    },
  })
  route('/:db/_changes', { get: answerChanges, post: answerChanges })
  route('/:db/_compact', {
    post(ctx, { name }) {
      databases.compact(name)
      ctx.status = 202
      ctx.body = { ok: true }
    },
  })
  // Compacting a database compacts its views as well.
  route('/:db/_compact/:design', {
    post(ctx, { name }) {
      databases.compact(name)
      ctx.status = 202
      ctx.body = { ok: true }
    },
  })
  route('/:db/_design/:design/_info', {
    async get(ctx, { indexes, compactions }, { design = '' }) {
      const { signature } = await indexes.design(design)
      ctx.body = { name: design, view_index: { signature, compact_running: compactions.size > 0 } }
    },
  })
  route('/:db/_view_cleanup', {
    async post(ctx, database) {
      await cleanUpViews(database)
      ctx.status = 202
      ctx.body = { ok: true }
    },
  })
  route('/:db/_ensure_full_commit', {
    post(ctx) {
      ctx.status = 201
      ctx.body = { ok: true, instance_start_time: '0' }
    },
  })
  route('/:db/_security', { get: getSecurity, put: putSecurity })
  route('/:db/_design/:design/_view/:view', { get: answerView, post: answerView })
  route('/:db/_design/:design/_view/:view/queries', { post: answerViewQueries })
}

async function postDocument(ctx: ParameterizedContext, database: OpenDatabase): Promise<void> {
  const document: unknown = await readJson(ctx)
  checkDocument(document, false)
  if (mayBeTooLarge(ctx.request.length)) checkSize(document, document._id ?? '')
  const { id, rev } = await database.pouch.put({ ...document, _id: document._id ?? newId() })
  markWritten(database, [document])
  ctx.status = 201
  ctx.body = { ok: true, id, rev }
}

async function answerBulkDocs(ctx: ParameterizedContext, database: OpenDatabase): Promise<void> {
  const body = await readJson(ctx)
  try {
    ctx.body = await bulkDocs(database.pouch, body, mayBeTooLarge(ctx.request.length))
    ctx.status = 201
  } finally {
    markWritten(database, Array.isArray(body.docs) ? body.docs : [])
  }
}

async function answerAllDocs(ctx: ParameterizedContext, { pouch }: OpenDatabase): Promise<void> {
  const range = await rangeOf(ctx)
  const head = await allDocsHead(pouch, range)
  await answerRows(ctx, 'rows', allDocsPages(pouch, range), () => head)
}

async function answerQueries(ctx: ParameterizedContext, { pouch }: OpenDatabase): Promise<void> {
  const results = (await readQueries(ctx)).map(async (range) => {
    const rows = (await Array.fromAsync(allDocsPages(pouch, range))).flat()
    return { ...(await allDocsHead(pouch, range)), rows }
  })
  ctx.body = { results: await Promise.all(results) }
}

async function answerView(
  ctx: ParameterizedContext,
  database: OpenDatabase,
  { design = '', view = '' }: Params,
): Promise<void> {
  const { pages, rest } = await queryView(database, design, view, await rangeOf(ctx))
  await answerRows(ctx, 'rows', pages, () => rest)
}

/** Several queries of one view. They share what the address says. */
async function answerViewQueries(
  ctx: ParameterizedContext,
  database: OpenDatabase,
  { design = '', view = '' }: Params,
): Promise<void> {
  const shared = readRange(ctx.query, 'address')
  const results = (await readQueries(ctx)).map(async (range) => {
    const { pages, rest } = await queryView(database, design, view, { ...shared, ...range })
    return { ...rest, rows: (await Array.fromAsync(pages)).flat() }
  })
  ctx.body = { results: await Promise.all(results) }
}

/** The ranges in the body of a request for several. */
async function readQueries(ctx: ParameterizedContext): Promise<Range[]> {
  const { queries } = await readJson(ctx)
  if (!Array.isArray(queries)) {
    throw new CouchAnswer(400, 'bad_request', '`queries` member must be an array.')
  }
  return (queries as unknown[]).map((query) => {
    if (typeof query === 'object' && query !== null) return readRange({ ...query }, 'body')
    throw new CouchAnswer(400, 'bad_request', '`queries` must hold objects.')
  })
}

async function rangeOf(ctx: ParameterizedContext): Promise<Range> {
  const range = readRange(ctx.query, 'address')
  return ctx.method === 'POST' ? { ...range, ...readRange(await readJson(ctx), 'body') } : range
}

async function getSecurity(ctx: ParameterizedContext, { pouch }: OpenDatabase): Promise<void> {
  ctx.body = (await storedSecurity(pouch)).security
}

async function putSecurity(ctx: ParameterizedContext, { pouch }: OpenDatabase): Promise<void> {
  const security = await readJson(ctx)
  await pouch.put({ ...(await storedSecurity(pouch)), _id: SECURITY, security })
  ctx.body = { ok: true }
}

async function storedSecurity(pouch: PouchDatabase): Promise<Record<string, unknown>> {
  try {
    return await pouch.get(SECURITY)
  } catch {
    return { security: { members: { roles: ['_admin'] }, admins: { roles: ['_admin'] } } }
  }
}
