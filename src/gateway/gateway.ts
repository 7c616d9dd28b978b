import { Router } from '@koa/router'
import type { Context, Next } from 'koa'
import type { Config } from '../config/config.ts'
import { HyperactiveError } from '../errors.ts'
import type { Ledger } from '../ledger/ledger.ts'
import { logger } from '../log.ts'
import type { Membership } from '../project/membership.ts'
import { AbsentIds } from './absent.ts'
import { GatewayAnswer, readJson } from './answers.ts'
import { takeIn } from './bulk-docs.ts'
import { parseBasic, RESYNC_HEADER, ROLE_HEADER } from './callers.ts'
import type { Caller, Callers } from './callers.ts'
import { ChangesFeed } from './changes.ts'
import { Checkpoints } from './checkpoints.ts'
import { GATEWAY_PATH } from './path.ts'
import { bulkGet, openRevs, readImplied, revsDiff } from './read.ts'
import type { RefusalLog } from './refusals.ts'
import { Strangers } from './strangers.ts'

const log = logger('gateway')

export { GATEWAY_PATH }
/** Where a peer that shares its people with this node reads them. */
export const PEOPLE_PATH = `${GATEWAY_PATH}/people`
/** The ledger's path under a node's address, for replicators. */
export const LEDGER_PATH = `${GATEWAY_PATH}/ledger`

export type Limits = Config['limits']

export interface GatewayOptions {
  ledger: Ledger
  callers: Callers
  /** The membership in force when it is asked. */
  membership: () => Membership
  limits: Limits
  /** Whether this node takes in only what it pulls itself. */
  isMirror?: boolean
  refusals: RefusalLog
  /** Called after documents were stored, with their number. */
  stored?: (count: number) => void
  /** Called when a peer is known to hold everything up to this place of the ledger's changes. */
  confirmed?: (peer: string, seq: string | number) => void
  /** The accounts for a peer, or undefined when they are not shared with it. */
  people?: (peer: string) => Promise<{ accounts: readonly object[]; tag: string } | undefined>
  /** Adds what peers are answered besides, about files. */
  files?: (router: Router) => void
  /** Ends every waiting feed. */
  signal: AbortSignal
}

/**
 * The HTTP door through which documents enter and leave the ledger: just the CouchDB replication protocol, in front
 * of whichever CouchDB is behind. It is to be mounted before anything that reads request bodies.
 */
export function gatewayRouter(options: GatewayOptions): Router {
  const { ledger, limits } = options
  const { database } = ledger
  const router = new Router({ prefix: GATEWAY_PATH })
  const changes = new ChangesFeed(database, options.signal)
  const strangers = new Strangers(database, limits.strangersPerPeer)
  const absent = new AbsentIds()

  router.use(answerErrors)
  router.use(async (ctx, next) => {
    const given = parseBasic(ctx.get('authorization'))
    const caller = given && options.callers.authenticate(given.username, given.password)
    if (!caller) {
      ctx.set('WWW-Authenticate', 'Basic realm="Hyperactive gateway"')
      throw new GatewayAnswer(401, 'unauthorized', 'Name or password is incorrect.')
    }
    ctx.state.caller = caller
    await next()
  })
  router.get('/', (ctx) => {
    // Replicators name their checkpoints by `uuid`: with the node's key they outlive a change of port or address.
    // A link of this node that is to start from zero asks for another name: PouchDB's replication id grows from it.
    const again = /^\d{1,9}$/.exec(ctx.get(RESYNC_HEADER))?.[0]
    const uuid = again === undefined ? ledger.node : `${ledger.node}-${again}`
    ctx.body = { couchdb: 'Welcome', version: '3.5.0', uuid, hyperactive: { node: ledger.node } }
  })
  router.get('/people', async (ctx) => {
    const { name, own } = callerOf(ctx)
    const shared = own ? undefined : await options.people?.(name)
    if (!shared) throw new GatewayAnswer(403, 'forbidden', 'People are not shared with this peer.')
    ctx.set('ETag', `"${shared.tag}"`)
    ctx.set('Cache-Control', 'no-store')
    ctx.status = 200
    if (ctx.fresh) ctx.status = 304
    else ctx.body = { accounts: shared.accounts }
  })
  router.get('/ledger', async (ctx) => {
    const { documents, updateSeq } = await ledger.count()
    const counts = { doc_count: documents, doc_del_count: 0, update_seq: updateSeq }
    ctx.body = { db_name: 'ledger', ...counts, instance_start_time: '0' }
  })
  router.get('/ledger/_changes', (ctx) => changes.answer(ctx))
  router.post('/ledger/_changes', (ctx) => changes.answer(ctx))
  router.post('/ledger/_revs_diff', async (ctx) => {
    ctx.body = await revsDiff(database, await readJson(ctx, limits.requestBytes), absent)
  })
  router.post('/ledger/_bulk_get', async (ctx) => {
    ctx.body = await bulkGet(database, await readJson(ctx, limits.requestBytes), ctx.query.revs === 'true')
  })
  router.post('/ledger/_bulk_docs', async (ctx) => {
    if (options.isMirror && !callerOf(ctx).own) {
      ctx.req.resume()
      throw new GatewayAnswer(
        403,
        'forbidden',
        'This node is a mirror: it takes in only what it pulls itself.',
      )
    }
    const body = await readJson(ctx, limits.requestBytes)
    ctx.body = await takeIn(body, callerOf(ctx), { ...options, strangers, absent })
    ctx.status = 201
  })
  router.post('/ledger/_ensure_full_commit', (ctx) => {
    ctx.status = 201
    ctx.body = { ok: true, instance_start_time: '0' }
  })
  checkpointRoutes(router, options)
  router.get('/ledger/:id', async (ctx) => {
    const { id = '' } = ctx.params
    const { open_revs: asked } = ctx.query
    if (typeof asked === 'string') {
      const multipart = ctx.accepts('application/json', 'multipart/mixed') === 'multipart/mixed'
      Object.assign(ctx, await openRevs(database, id, asked, { revs: ctx.query.revs === 'true', multipart }))
      return
    }
    const found = (await readImplied(database, [id])).get(id)
    if (!found || (ctx.query.rev !== undefined && ctx.query.rev !== found._rev)) {
      throw new GatewayAnswer(404, 'not_found', 'missing')
    }
    ctx.set('ETag', `"${found._rev}"`)
    ctx.body = found
  })
  options.files?.(router)
  router.all('/{*rest}', () => {
    throw new GatewayAnswer(404, 'not_found', 'this gateway speaks the replication protocol on /ledger only')
  })
  return router
}

/** Checkpoints are each caller's own: none can read or write another's, nor this node's local documents. */
function checkpointRoutes(router: Router, { ledger, limits, confirmed }: GatewayOptions): void {
  const checkpoints = new Checkpoints(ledger.database)
  router.get('/ledger/_local/:id', async (ctx) => {
    const found = await checkpoints.get(checkpointId(ctx, ctx.params.id))
    if (!found) throw new GatewayAnswer(404, 'not_found', 'missing')
    ctx.body = { ...found, _id: `_local/${ctx.params.id ?? ''}` }
  })
  router.put('/ledger/_local/:id', async (ctx) => {
    const document = await readJson(ctx, limits.documentBytes)
    const rev = await checkpoints.put({ ...document, _id: checkpointId(ctx, ctx.params.id) })
    const place = document.last_seq ?? document.source_last_seq
    const reads = ctx.get(ROLE_HEADER) === 'source'
    if (reads && (typeof place === 'string' || typeof place === 'number'))
      confirmed?.(callerOf(ctx).name, place)
    ctx.status = 201
    ctx.body = { ok: true, id: `_local/${ctx.params.id ?? ''}`, rev }
  })
}

function checkpointId(ctx: Context, id = ''): string {
  const { name, own } = callerOf(ctx)
  return `_local/${own ? 'own' : 'peer'}.${name}.${encodeURIComponent(id)}`
}

function callerOf(ctx: Context): Caller {
  return ctx.state.caller as Caller
}

async function answerErrors(ctx: Context, next: Next): Promise<void> {
  try {
    await next()
  } catch (error) {
    if (error instanceof GatewayAnswer) {
      ctx.status = error.status
      ctx.body = { error: error.error, reason: error.message }
    } else if (error instanceof HyperactiveError && error.code === 'couch_409') {
      ctx.status = 409
      ctx.body = { error: 'conflict', reason: 'Document update conflict.' }
    } else if (error instanceof HyperactiveError && error.code === 'couch_400') {
      ctx.status = 400
      ctx.body = { error: 'bad_request', reason: 'the store behind this gateway finds the request malformed' }
    } else {
      log.warn('a request failed', { code: error instanceof HyperactiveError ? error.code : 'unexpected' })
      ctx.status = 503
      ctx.set('Retry-After', '5')
      ctx.body = {
        error: 'service_unavailable',
        reason: 'the store behind this gateway does not answer as it should',
      }
    }
  }
}
