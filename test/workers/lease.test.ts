import type { ExecutionContext } from 'ava'
import test from 'ava'
import { connectCouch } from '../../src/couch/client.ts'
import { Lease } from '../../src/workers/lease.ts'
import { openLink } from '../helpers/link.ts'
import { startStore } from '../helpers/store.ts'
import { until } from '../helpers/wait.ts'

const FAST = { everyMs: 50, endsAfterMs: 1000 }
const nothing = async () => undefined

async function openLease(t: ExecutionContext, url: string, holder: string) {
  const link = await openLink(t, url)
  const address = new URL(url)
  address.port = new URL(link.address).port
  const couch = connectCouch(address.href)
  t.teardown(() => couch[Symbol.asyncDispose]())
  const database = await couch.ensureDatabase('access')
  const lease = new Lease({ database, holder, ...FAST })
  t.teardown(() => lease[Symbol.asyncDispose]())
  return { lease, link }
}

test('one of several processes on a store writes, and gives it over when it ends', async (t) => {
  const { url } = await startStore(t)
  const leases = await Promise.all(['a', 'b', 'c'].map((holder) => openLease(t, url, holder)))
  const taken = await Promise.all(leases.map(({ lease }) => lease.take()))
  t.is(taken.filter(Boolean).length, 1)
  const [writer] = leases.splice(taken.indexOf(true), 1)
  await writer?.lease.announce('http://127.0.0.1:1234')
  for (const { lease } of leases)
    await until('others know where', async () => (await lease.writer()) === 'http://127.0.0.1:1234')
  t.is(await writer?.lease.writer(), undefined)

  const stop = new AbortController()
  const waiting = leases.map(({ lease }) => lease.awaited(stop.signal, nothing))
  const first = Promise.race(waiting)
  t.false((await leases[0]?.lease.take()) ?? true, 'while it lives')
  await writer?.lease[Symbol.asyncDispose]()
  t.true(await first)
  stop.abort()
  t.is((await Promise.all(waiting)).filter(Boolean).length, 1)
})

test('a writer that does not reach its store stays the writer, unless another one has become it', async (t) => {
  const { url } = await startStore(t)
  const a = await openLease(t, url, 'a')
  t.true(await a.lease.take())
  a.link.cut()
  const b = await openLease(t, url, 'b')
  t.true(await b.lease.awaited(new AbortController().signal, nothing), 'another one takes over in time')
  t.false(a.lease.lost.aborted, 'who writes nothing need not stop')
  a.link.state = 'open'
  await until('it hears of the other', () => a.lease.lost.aborted)

  b.link.cut()
  const before = await a.lease.writer()
  b.link.state = 'open'
  await until('it renews again', async () => {
    await b.lease.announce('http://127.0.0.1:4321')
    return (await a.lease.writer()) === 'http://127.0.0.1:4321'
  })
  t.is(before, undefined)
  t.false(b.lease.lost.aborted)
})

test('a process that is started again on its own data folder does not wait for itself', async (t) => {
  const { url } = await startStore(t)
  const killed = await openLease(t, url, 'a')
  t.true(await killed.lease.take())
  killed.link.state = 'cut'
  const again = await openLease(t, url, 'a')
  t.true(await again.lease.take())
  killed.link.state = 'open'
  await until('the former one has stopped', () => killed.lease.lost.aborted)
})
