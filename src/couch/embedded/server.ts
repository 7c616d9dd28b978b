import { createHash, timingSafeEqual } from 'node:crypto'
import { Router } from '@koa/router'
import Koa from 'koa'
import type { ParameterizedContext } from 'koa'
import { asAnswer, CouchAnswer, refuseMethod, wholeNumber } from './answers.ts'
import { newId } from './bulk.ts'
import { databaseRoutes } from './database-routes.ts'
import type { Databases } from './databases.ts'
import { documentRoutes } from './documents.ts'
import { Pending } from './pending.ts'

const WELCOME = {
  couchdb: 'Welcome',
  version: '3.5.0',
  features: [],
  vendor: { name: 'Hyperactive embedded store' },
}
const SESSION = {
  ok: true,
  userCtx: { name: 'node', roles: ['_admin'] },
  info: { authenticated: 'default' },
}

interface Credentials {
  username: string
  password: string
}

/** The small CouchDB: the routes that nano, the gateway and replicators use, over PouchDB's LevelDB. */
export function createServer(
  databases: Databases,
  credentials: Credentials,
  pending: Pending = new Pending(),
): Koa {
  const app = new Koa()
  app.silent = true
  app.use(async (ctx, next) => {
    try {
      if (ctx.path !== '/_up') authorise(ctx, credentials)
      await pending.run(next)
      if (ctx.status === 404 && ctx.body === undefined) throw new CouchAnswer(404, 'not_found', 'missing')
    } catch (error) {
      const { status, error: name, message } = asAnswer(error)
      ctx.status = status
      ctx.body = { error: name, reason: message }
    }
  })
  const router = new Router()
  serverRoutes(router, databases)
  databaseRoutes(router, databases)
  documentRoutes(router, databases)
  app.use(router.routes())
  app.use((ctx) => refuseUnanswered(ctx, router))
  return app
}

function serverRoutes(router: Router, databases: Databases): void {
  const answers: Record<string, (ctx: ParameterizedContext) => unknown> = {
    '/': () => WELCOME,
    '/_up': () => ({ status: 'ok' }),
    '/_all_dbs': () => databases.names(),
    '/_uuids': uuids,
    '/_session': () => SESSION,
  }
  for (const [path, answer] of Object.entries(answers)) {
    router.get(path, (ctx) => {
      ctx.body = answer(ctx)
    })
    router.all(path, (ctx) => refuseMethod(ctx, 'GET,HEAD'))
  }
}

function uuids(ctx: ParameterizedContext): object {
  const count = wholeNumber('count', ctx.query.count) ?? 1
  if (count > 1000) throw new CouchAnswer(400, 'bad_request', 'count parameter too large')
  return { uuids: Array.from({ length: count }, newId) }
}

/** What the router did not answer: an address that takes other methods is a 405, anything else stays a 404. */
function refuseUnanswered(ctx: ParameterizedContext, router: Router): void {
  const methods = new Set(router.match(ctx.path, ctx.method).path.flatMap((layer) => layer.methods))
  if (methods.size > 0) refuseMethod(ctx, [...methods].sort().join(','))
}

function authorise(ctx: ParameterizedContext, { username, password }: Credentials): void {
  const given = ctx.get('authorization')
  const wanted = Buffer.from(`${username}:${password}`).toString('base64')
  if (timingSafeEqual(digest(given.replace(/^basic /i, '')), digest(wanted))) return
  ctx.set('WWW-Authenticate', 'Basic realm="server"')
  const reason = given === '' ? 'Authentication required.' : 'Name or password is incorrect.'
  throw new CouchAnswer(401, 'unauthorized', reason)
}

function digest(text: string): Uint8Array {
  return Uint8Array.from(createHash('sha256').update(text).digest())
}
