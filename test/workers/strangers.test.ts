import { once } from 'node:events'
import { createServer, request as ask } from 'node:http'
import type { AddressInfo } from 'node:net'
import test from 'ava'
import { Front } from '../../src/workers/front.ts'
import { SECRET, startFronts } from '../helpers/fronts.ts'
import { LIFETIMES } from '../helpers/kept-page.ts'
import { until } from '../helpers/wait.ts'

test('a front before something that is no node goes on passing requests to it', async (t) => {
  const texts = [
    '<!doctype html>\n<title>Another site</title>\n',
    'null\n',
    '{}\n',
    '{"number":1,"change":{}}\n',
  ]
  let asked = 0
  const stranger = createServer((request, response) => {
    if (request.method === 'POST') response.end(texts[asked++ % texts.length])
    else response.end('a page')
  })
  const front = new Front({
    target: { host: '127.0.0.1', port: await portOf(stranger) },
    secret: SECRET,
    language: 'en',
    namesHost: false,
    mostBytes: 1e6,
    lifetimes: LIFETIMES,
  })
  const server = createServer(front.handler)
  const port = await portOf(server)
  t.teardown(async () => {
    await front[Symbol.asyncDispose]()
    for (const each of [server, stranger]) each.close().closeAllConnections()
  })
  await until('it has asked again and again', () => asked > texts.length)
  t.is(await (await fetch(`http://127.0.0.1:${port}/newswire`)).text(), 'a page')
})

test('a node cuts off a front that says what no front says, and keeps the others', async (t) => {
  const { address, back } = await startFronts(t, 1)
  for (const text of ['<!doctype html>\n', 'null\n', '[5]\n']) {
    const headers = { 'hyperactive-front': `changes ${SECRET}`, 'transfer-encoding': 'chunked' }
    const following = ask(address, { method: 'POST', headers })
    following.on('error', () => undefined)
    following.flushHeaders()
    const [answer] = await once(following, 'response')
    t.is(back.size, 2)
    answer.on('error', () => undefined).resume()
    const closed = once(following, 'close')
    following.write(text)
    await closed
    await until('only the other one follows', () => back.size === 1)
  }
  await back.heard()
  t.is(back.size, 1)
})

test('a node to which no front has come makes no lines of what changes', async (t) => {
  const { kept, back } = await startFronts(t, 0)
  const change = { documents: ['one'], rows: [], names: [], toJSON: () => t.fail() }
  kept.changed(change)
  await back.heard()
  t.pass()
})

async function portOf(server: ReturnType<typeof createServer>): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}
