import { once } from 'node:events'
import { request as ask } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { setImmediate as soon } from 'node:timers/promises'
import test from 'ava'
import { SECRET, startFronts } from '../helpers/fronts.ts'
import { Random } from '../helpers/random.ts'
import { connectTo, sayRaw } from '../helpers/raw.ts'
import { until } from '../helpers/wait.ts'

test('no front ever shows less than what was written before it was asked, however late it hears of it', async (t) => {
  const { fronts, values, kept } = await startFronts(t, 2, { slow: { delayMs: 2, jitterMs: 60 } })
  const random = new Random(7)
  const names = ['one', 'two', 'three', 'four']
  let [asked, stale] = [0, 0]
  const read = async (name: string) => (await fetch(`${random.pick(fronts)}/numbers/${name}`)).text()
  const person = async () => {
    for (let step = 0; step < 60; step += 1) {
      const name = random.pick(names)
      if (random.chance(0.7)) {
        await read(name)
        continue
      }
      // What others write at this moment may not be there yet; what this person wrote is.
      const sent = await fetch(`${random.pick(fronts)}/numbers/${name}`, { method: 'POST' })
      const written = Number(await sent.text())
      asked += 1
      if (Number(await read(name)) < written) stale += 1
    }
  }
  await Promise.all(Array.from({ length: 8 }, person))
  t.is(stale, 0)
  t.true(asked > 80)
  const rendered = kept.rendered
  for (let times = 0; times < 20; times += 1) {
    for (const name of names) t.is(await read(name), String(values.get(name) ?? 0))
  }
  t.true(kept.rendered - rendered <= names.length, 'what nothing has changed is not made again')
})

test('a front shows nothing of its own while it hears nothing of its node, and goes on when it does again', async (t) => {
  const { fronts, values, kept, back, stop, start } = await startFronts(t, 1)
  const [front = ''] = fronts
  const read = async () => {
    const answer = await fetch(`${front}/numbers/one`)
    return { status: answer.status, text: await answer.text(), retry: answer.headers.get('retry-after') }
  }
  for (let times = 0; times < 5; times += 1) t.is((await read()).text, '0')
  await stop()
  await until('it has no copies', async () => (await read()).status === 503)
  t.is((await read()).retry, '5')
  values.set('one', 5)
  kept.store.changed({ documents: ['one'], rows: [], names: [] })
  await start()
  await until('it follows again', () => back.size === 1)
  t.is((await read()).text, '5')
  kept.clear()
  values.set('one', 6)
  await back.heard()
  t.is((await read()).text, '6')
})

test('bodies and answers stream through a front, and an end on one side is an end on the other', async (t) => {
  const { fronts, came } = await startFronts(t, 1)
  const sending = ask(`${fronts[0]}/stream`, { method: 'POST' })
  sending.flushHeaders()
  const [answer] = (await once(sending, 'response')) as [IncomingMessage]
  t.is(answer.headers['content-type'], 'text/event-stream')
  let heard = ''
  answer.setEncoding('utf8').on('data', (text: string) => (heard += text))
  await until('the first words came', () => heard === 'hello\n')
  sending.write('one')
  await until('an answer to the first part', () => heard.endsWith('heard one\n'))
  sending.write('two')
  await until('an answer to the second', () => heard.endsWith('heard two\n'))
  answer.on('error', () => undefined)
  sending.on('error', () => undefined)
  sending.destroy()
  await until('the node sees that the reader went', () => came[0]?.destroyed)

  const other = ask(`${fronts[0]}/stream`)
  other.end()
  const [cut] = (await once(other, 'response')) as [IncomingMessage]
  cut.resume()
  const ended = once(cut, 'error')
  came[1]?.socket.destroy()
  await ended
  t.pass()
})

test('a front adds nothing to a request that says who asks, and passes on nothing that is between it and the node', async (t) => {
  const { fronts } = await startFronts(t, 1)
  const [front = ''] = fronts
  const answer = await fetch(`${front}/headers`, {
    headers: { 'hyperactive-front': `changes ${SECRET}x`, 'x-mine': 'kept', host: 'news.example' },
  })
  const headers = (await answer.json()) as Record<string, string>
  t.is(headers['x-mine'], 'kept')
  t.deepEqual(
    Object.keys(headers).filter((name) => /forward|real|client|via|hyperactive/.test(name)),
    [],
  )
  const named = await sayRaw(
    front,
    'GET /headers HTTP/1.1\r\nHost: a\r\nX-Mine: one\r\nConnection: close, X-Mine\r\nUpgrade: websocket\r\n\r\n',
  )
  t.notRegex(named, /x-mine|upgrade/i)
  t.is(
    (await fetch(front, { method: 'POST', headers: { 'hyperactive-front': 'changes wrong' } })).status,
    404,
  )
})

test('no body through a front is taken for another request', async (t) => {
  const { fronts } = await startFronts(t, 1)
  const [front = ''] = fronts
  const inner = 'POST /numbers/smuggled HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n'
  const chunked = `${inner.length.toString(16)}\r\n${inner}\r\n0\r\n\r\n`
  for (const method of ['GET', 'DELETE', 'POST']) {
    const head = `${method} /headers HTTP/1.1\r\nHost: a\r\nConnection: close\r\n`
    await sayRaw(front, `${head}Transfer-Encoding: chunked\r\n\r\n${chunked}`)
    await sayRaw(front, `${head}Content-Length: ${inner.length}\r\n\r\n${inner}`)
    const both = `${head}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n${chunked}`
    t.regex(await sayRaw(front, both), /^HTTP\/1\.1 400/)
  }
  t.is(await (await fetch(`${front}/numbers/smuggled`)).text(), '0')
})

test('readers who go away at any moment cost the others nothing', async (t) => {
  const { fronts, back } = await startFronts(t, 1)
  const [front = ''] = fronts
  const random = new Random(11)
  for (let round = 0; round < 20; round += 1) {
    // The front keeps the connections of these, and uses them again.
    const staying = Array.from({ length: 25 }, () => fetch(`${front}/numbers/${random.int(0, 1e6)}`))
    for (const answer of await Promise.all(staying)) await answer.text()
    const leaving = Array.from({ length: 25 }, async () => {
      const socket = await connectTo(front)
      socket.write(`GET /numbers/${random.int(0, 1e6)} HTTP/1.1\r\nHost: a\r\n\r\n`)
      for (let turns = random.int(0, 12); turns > 0; turns -= 1) await soon()
      if (random.chance(0.5)) socket.resetAndDestroy()
      else socket.destroy()
    })
    await Promise.all(leaving)
  }
  t.is((await fetch(`${front}/numbers/one`)).status, 200)
  t.is(back.size, 1)
})
