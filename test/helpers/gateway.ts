import { randomBytes } from 'node:crypto'
import Koa from 'koa'
import type { ExecutionContext } from 'ava'
import PouchDB from 'pouchdb-node'
import type { PouchDatabase } from 'pouchdb-node'
import { loadConfig } from '../../src/config/config.ts'
import { gatewayRouter } from '../../src/gateway/gateway.ts'
import type { Limits } from '../../src/gateway/gateway.ts'
import { RefusalLog } from '../../src/gateway/refusals.ts'
import { computeMembership } from '../../src/project/membership.ts'
import type { Membership } from '../../src/project/membership.ts'
import { listen } from '../../src/web/listen.ts'
import { startStore } from './store.ts'
import type { TestStore } from './store.ts'

const PASSWORD = randomBytes(16).toString('hex')

export interface TestGateway extends TestStore {
  address: string
  refusals: RefusalLog
  membership: { current: Membership }
  /** A request as the caller `name`, with any password but the right one refused. */
  request(path: string, init?: RequestInit & { as?: string; password?: string }): Promise<Response>
  /** Sends documents as a replicator does, and gives what was refused. */
  push(docs: unknown[], as?: string): Promise<{ id: string; error: string; reason: string }[]>
  /** The header by which `name` is let in. */
  login(name: string): { authorization: string }
  /** PouchDB's view of the ledger through the gateway. */
  pouch(as: string): PouchDatabase
}

/** A gateway over a real store and a real HTTP server; every name is let in with the password. */
export async function startGateway(t: ExecutionContext, limits: Partial<Limits> = {}): Promise<TestGateway> {
  const store = await startStore(t)
  const refusals = new RefusalLog()
  const membership = {
    current: computeMembership({ anchors: [store.key.publicKey], admissions: [], evictions: [] }),
  }
  const stop = new AbortController()
  const router = gatewayRouter({
    ledger: store.ledger,
    callers: { authenticate: (name, password) => (password === PASSWORD ? { name, own: false } : undefined) },
    membership: () => membership.current,
    limits: { ...loadConfig({}, {}).config.limits, ...limits },
    refusals,
    signal: stop.signal,
  })
  const app = new Koa()
  app.silent = true
  app.use(router.routes())
  const listening = await listen(app.callback(), { host: '127.0.0.1', port: 0 })
  t.teardown(async () => {
    stop.abort()
    await listening[Symbol.asyncDispose]()
  })
  const { address } = listening
  const request: TestGateway['request'] = (path, { as = 'peer', password, ...init } = {}) =>
    fetch(`${address}/gateway${path}`, {
      ...init,
      headers: {
        'content-type': 'application/json',
        authorization: authorization(as, password),
        ...(init.headers as object),
      },
    })
  return {
    ...store,
    address,
    refusals,
    membership,
    request,
    async push(docs, as = 'peer') {
      const response = await request('/ledger/_bulk_docs', {
        as,
        method: 'POST',
        body: JSON.stringify({ docs, new_edits: false }),
      })
      return (await response.json()) as { id: string; error: string; reason: string }[]
    },
    login: (name) => ({ authorization: authorization(name) }),
    pouch(as) {
      const options = { skip_setup: true, auth: { username: as, password: PASSWORD } }
      return new PouchDB(`${address}/gateway/ledger`, options)
    },
  }
}

function authorization(as: string, password = PASSWORD): string {
  return `Basic ${Buffer.from(`${as}:${password}`).toString('base64')}`
}
