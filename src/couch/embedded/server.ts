import type { PouchDatabase } from 'pouchdb-node'
import { createHash, randomUUID, timingSafeEqual } from 'node:crypto'
import { Router } from '@koa/router'
import Koa from 'koa'
import type { ParameterizedContext } from 'koa'
import { asAnswer, CouchAnswer, flag, readJson } from './answers.ts'
import { bulkDocs, bulkGet, readKeys, revsDiff } from './bulk.ts'
import { answerChanges } from './changes.ts'
import type { Databases } from './databases.ts'
import { documentRoutes } from './documents.ts'
import { readRange } from './ranges.ts'
import type { Range } from './ranges.ts'
import { queryView } from './views.ts'

const WELCOME = {
  couchdb: 'Welcome',
  version: '3.5.0',
  features: [],
  vendor: { name: 'Hyperactive embedded store' },
}
const SECURITY = '_local/_security'

/** The small CouchDB: the routes that nano, the gateway and replicators use, over PouchDB's LevelDB. */
export function createServer(databases: Databases, credentials: { username: string; password: string }): Koa {
  const app = new Koa()
  app.silent = true
  app.use(async (ctx, next) => {
    try {
      if (ctx.path !== '/_up' && !authorised(ctx, credentials)) {
        ctx.set('WWW-Authenticate', 'Basic realm="Hyperactive"')
        throw new CouchAnswer(401, 'unauthorized', 'You are not authorized to access this db.')
      }
      await next()
      if (ctx.status === 404 && ctx.body === undefined) throw new CouchAnswer(404, 'not_found', 'missing')
    } catch (error) {
      const { status, error: name, message } = asAnswer(error)
      ctx.status = status
      ctx.body = { error: name, reason: message }
    }
  })
  const router = new Router({ strict: false })
  serverRoutes(router, databases)
  databaseRoutes(router, databases)
  documentRoutes(router, databases)
  app.use(router.routes())
  app.use(
    router.allowedMethods({
      throw: true,
      methodNotAllowed: () =>
        new CouchAnswer(405, 'method_not_allowed', 'Only other methods are allowed here'),
    }),
  )
  return app
}

function serverRoutes(router: Router, databases: Databases): void {
  router.get('/', (ctx) => {
    ctx.body = WELCOME
  })
  router.get('/_up', (ctx) => {
    ctx.body = { status: 'ok' }
  })
  router.get('/_all_dbs', (ctx) => {
    ctx.body = databases.names()
  })
  router.get('/_uuids', (ctx) => {
    const count = Math.min(Number(ctx.query.count ?? 1) || 1, 1000)
    ctx.body = { uuids: Array.from({ length: count }, () => randomUUID().replaceAll('-', '')) }
  })
  router.get('/_session', (ctx) => {
    ctx.body = { ok: true, userCtx: { name: 'node', roles: ['_admin'] }, info: { authenticated: 'default' } }
  })
}

function databaseRoutes(router: Router, databases: Databases): void {
  const pouchOf = (ctx: { params: { db?: string } }): PouchDatabase =>
    databases.get(ctx.params.db ?? '').pouch
  const written = (ctx: { params: { db?: string } }) =>
    databases.get(ctx.params.db ?? '').events.emit('written')

  router.put('/:db', async (ctx) => {
    await databases.create(ctx.params.db ?? '')
    ctx.status = 201
    ctx.body = { ok: true }
  })
  router.delete('/:db', async (ctx) => {
    await databases.remove(ctx.params.db ?? '')
    ctx.body = { ok: true }
  })
  router.get('/:db', async (ctx) => {
    const { doc_count, update_seq } = await pouchOf(ctx).info()
    ctx.body = {
      db_name: ctx.params.db,
      doc_count,
      doc_del_count: 0,
      update_seq: Number(update_seq),
      instance_start_time: '0',
      compact_running: false,
    }
  })
  router.post('/:db', async (ctx) => {
    const pouch = pouchOf(ctx)
    const document = await readJson(ctx)
    const { id, rev } = await pouch.post(document)
    written(ctx)
    ctx.status = 201
    ctx.body = { ok: true, id, rev }
  })
  router.get('/:db/_all_docs', async (ctx) => {
    ctx.body = await allDocs(pouchOf(ctx), readRange(ctx.query, 'address'))
  })
  router.post('/:db/_all_docs', async (ctx) => {
    const pouch = pouchOf(ctx)
    ctx.body = await allDocs(pouch, {
      ...readRange(ctx.query, 'address'),
      ...readRange(await readJson(ctx), 'body'),
    })
  })
  router.post('/:db/_all_docs/queries', async (ctx) => {
    const pouch = pouchOf(ctx)
    const { queries } = await readJson(ctx)
    if (!Array.isArray(queries))
      throw new CouchAnswer(400, 'bad_request', '`queries` member must be an array.')
    const ranges = (queries as Record<string, unknown>[]).map((query) => readRange(query, 'body'))
    ctx.body = { results: await Promise.all(ranges.map((range) => allDocs(pouch, range))) }
  })
  router.post('/:db/_bulk_docs', async (ctx) => {
    const pouch = pouchOf(ctx)
    ctx.body = await bulkDocs(pouch, await readJson(ctx))
    written(ctx)
    ctx.status = 201
  })
  router.post('/:db/_bulk_get', async (ctx) => {
    const pouch = pouchOf(ctx)
    ctx.body = await bulkGet(pouch, await readJson(ctx), flag('revs', ctx.query.revs) ?? false)
  })
  router.post('/:db/_revs_diff', async (ctx) => {
    const pouch = pouchOf(ctx)
    ctx.body = await revsDiff(pouch, await readJson(ctx))
  })
  const changes = (ctx: ParameterizedContext & { params: { db?: string } }) =>
    answerChanges(ctx, databases.get(ctx.params.db ?? ''))
  router.get('/:db/_changes', changes)
  router.post('/:db/_changes', changes)
  router.post('/:db/_compact', (ctx) => {
    void pouchOf(ctx).compact()
    ctx.status = 202
    ctx.body = { ok: true }
  })
  router.post('/:db/_view_cleanup', async (ctx) => {
    await pouchOf(ctx).viewCleanup()
    ctx.status = 202
    ctx.body = { ok: true }
  })
  router.post('/:db/_ensure_full_commit', (ctx) => {
    pouchOf(ctx)
    ctx.status = 201
    ctx.body = { ok: true, instance_start_time: '0' }
  })
  router.get('/:db/_security', async (ctx) => {
    const stored = await pouchOf(ctx)
      .get(SECURITY)
      .catch(() => undefined)
    ctx.body = stored?.security ?? {}
  })
  router.put('/:db/_security', async (ctx) => {
    const pouch = pouchOf(ctx)
    const security = await readJson(ctx)
    const stored: { _rev?: string } = await pouch.get(SECURITY).catch(() => ({}))
    await pouch.put({ _id: SECURITY, ...(stored._rev ? { _rev: stored._rev } : {}), security })
    ctx.body = { ok: true }
  })
  router.get('/:db/_design/:design/_view/:view', async (ctx) => {
    const { design = '', view = '' } = ctx.params
    ctx.body = await queryView(pouchOf(ctx), design, view, readRange(ctx.query, 'address'))
  })
  router.post('/:db/_design/:design/_view/:view', async (ctx) => {
    const { design = '', view = '' } = ctx.params
    const pouch = pouchOf(ctx)
    const range = { ...readRange(ctx.query, 'address'), ...readRange(await readJson(ctx), 'body') }
    ctx.body = await queryView(pouch, design, view, range)
  })
}

async function allDocs(pouch: PouchDatabase, range: Range): Promise<object> {
  const { keys, reduce: _, update: __, startkey_docid: ___, endkey_docid: ____, ...rest } = range
  if (!keys) return pouch.allDocs(rest)
  const { skip = 0, limit, descending } = range
  const wanted = descending ? keys.toReversed() : keys
  const texts = wanted.slice(skip, limit === undefined ? undefined : skip + limit).map(String)
  const { doc_count } = await pouch.info()
  return {
    total_rows: doc_count,
    offset: null,
    rows: await readKeys(pouch, texts, range.include_docs ?? false),
  }
}

function authorised(
  ctx: ParameterizedContext,
  { username, password }: { username: string; password: string },
): boolean {
  const given = ctx.get('authorization')
  const wanted = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
  return timingSafeEqual(digest(given), digest(wanted))
}

function digest(text: string): Uint8Array {
  return Uint8Array.from(createHash('sha256').update(text).digest())
}
