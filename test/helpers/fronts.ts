import type { IncomingMessage } from 'node:http'
import { setImmediate as soon } from 'node:timers/promises'
import { Router } from '@koa/router'
import type { ExecutionContext } from 'ava'
import Koa from 'koa'
import type { Outside } from '../../src/pages/store/outside.ts'
import { noteDocuments } from '../../src/reads.ts'
import { KeptPages, mayKeep } from '../../src/web/kept-pages.ts'
import { listen } from '../../src/web/listen.ts'
import { Back } from '../../src/workers/back.ts'
import { Front } from '../../src/workers/front.ts'
import { IN_MEMORY, LIFETIMES } from './kept-page.ts'
import { TcpLink } from './link.ts'
import type { Slowness } from './link.ts'
import { until } from './wait.ts'

export const SECRET = 'a-secret-between-the-two'

export interface Fronts {
  back: Back
  kept: KeptPages
  /** Where the node answers without a front. */
  address: string
  fronts: string[]
  values: Map<string, number>
  /** Requests that came to the node for something else than pages. */
  came: IncomingMessage[]
  stop: () => Promise<void>
  start: () => Promise<void>
}

/** Pages that show one number each, kept as pages of a node are, with fronts before them. */
export async function startFronts(
  t: ExecutionContext,
  count: number,
  { slow, outside }: { slow?: Slowness; outside?: (back: Back) => Promise<Outside> } = {},
): Promise<Fronts> {
  const back = new Back(SECRET)
  const kept = new KeptPages({
    ...IN_MEMORY,
    ...(outside ? { outside: await outside(back) } : {}),
    mostBytes: 1e6,
    language: 'en',
    url: 'http://node.example',
    views: {},
  })
  const values = new Map<string, number>()
  const came: IncomingMessage[] = []
  const app = new Koa()
  app.silent = true
  app.use(async (ctx, next) => {
    await next()
    if (ctx.method === 'POST') await back.heard()
  })
  app.use(kept.keeping())
  const router = new Router()
  router.get('/numbers/:name', async (ctx) => {
    const { name = '' } = ctx.params
    noteDocuments([name])
    const value = values.get(name) ?? 0
    // Something may be written while the page is made.
    for (let turn = 0; turn < 3; turn += 1) await soon()
    mayKeep(ctx)
    ctx.type = 'text/plain'
    ctx.body = String(value)
  })
  router.post('/numbers/:name', (ctx) => {
    const { name = '' } = ctx.params
    values.set(name, (values.get(name) ?? 0) + 1)
    kept.changed({ documents: [name], rows: [], names: [] })
    ctx.body = String(values.get(name))
  })
  router.all('/stream', (ctx) => {
    came.push(ctx.req)
    ctx.respond = false
    ctx.res.writeHead(200, { 'Content-Type': 'text/event-stream' })
    ctx.req.on('data', (chunk: Buffer) => ctx.res.write(`heard ${chunk.toString()}\n`))
    ctx.res.write('hello\n')
  })
  router.all('/headers', (ctx) => {
    ctx.body = ctx.req.headers
  })
  app.use(router.routes())
  const handler = back.serving(kept, kept.serving(app.callback()))
  const serve = (port: number) =>
    listen(handler, {
      host: '127.0.0.1',
      port,
      isExempt: (request) => back.isFollowing(request),
    })
  let node = await serve(0)
  const port = Number(new URL(node.address).port)
  const fronts: string[] = []
  for (let number = 0; number < count; number += 1) {
    const link = await TcpLink.open(port, number + 1)
    if (slow) link.slowness = slow
    const target = { host: '127.0.0.1', port: Number(new URL(link.address).port) }
    const front = new Front({
      target,
      secret: SECRET,
      language: 'en',
      namesHost: false,
      mostBytes: 1e6,
      lifetimes: LIFETIMES,
    })
    const listening = await listen(front.handler, { host: '127.0.0.1', port: 0 })
    fronts.push(listening.address)
    t.teardown(async () => {
      await front[Symbol.asyncDispose]()
      await listening[Symbol.asyncDispose]()
      await link[Symbol.asyncDispose]()
    })
  }
  t.teardown(async () => {
    back[Symbol.dispose]()
    await node[Symbol.asyncDispose]()
  })
  await until('all fronts follow', () => back.size === count)
  return {
    back,
    kept,
    address: node.address,
    fronts,
    values,
    came,
    stop: async () => node[Symbol.asyncDispose](),
    start: async () => {
      node = await serve(port)
    },
  }
}
