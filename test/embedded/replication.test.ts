import test from 'ava'
import PouchDB from 'pouchdb-node'
import { until } from '../helpers/wait.ts'
import { AUTHORIZATION, serveStore } from './store.ts'

interface Replication extends PromiseLike<{ ok: boolean; docs_written: number; errors: unknown[] }> {
  cancel(): void
}

const replicate = (source: object, target: object, options: object = {}) =>
  PouchDB.replicate(source as never, target as never, options) as unknown as Replication

const remote = (url: string) =>
  new PouchDB(`${url}/ledger`, {
    skip_setup: true,
    fetch: (address: string, options: RequestInit) => {
      const headers = new Headers(options.headers)
      headers.set('authorization', AUTHORIZATION)
      return fetch(address, { ...options, headers })
    },
  })

test('PouchDB replicates from one store to another, conflicts and deletions included', async (t) => {
  const [here, there] = [await serveStore(t), await serveStore(t)]
  await here.database.bulkDocs(Array.from({ length: 600 }, (_, n) => ({ _id: `a${n}`, text: `text ${n}` })))
  const { rev } = await here.database.put({ _id: 'gone' })
  await here.database.delete('gone', rev)
  await here.database.bulkDocs([{ _id: 'both', side: 'here' }])
  await there.database.bulkDocs([{ _id: 'both', side: 'there' }])
  await there.database.bulkDocs([{ _id: 'a/b ü', text: 'other' }])

  for (const [source, target] of [
    [here, there],
    [there, here],
  ] as const) {
    const { ok, errors } = await replicate(remote(source.url), remote(target.url), { batch_size: 200 })
    t.true(ok)
    t.deepEqual(errors, [])
  }
  const state = async ({ database, call }: typeof here) => ({
    documents: (await database.allDocs({ include_docs: true })).rows,
    both: (await call('GET', '/ledger/both?open_revs=all')).body.map(
      ({ ok }: { ok: { _rev: string } }) => ok._rev,
    ),
    gone: (await database.allDocs({ keys: ['gone'] })).rows,
  })
  const [one, other] = [await state(here), await state(there)]
  t.is(one.documents.length, 602)
  t.is(one.both.length, 2)
  t.deepEqual({ ...other, both: other.both.toSorted() }, { ...one, both: one.both.toSorted() })

  const again = await replicate(remote(here.url), remote(there.url))
  t.is(again.docs_written, 0)
})

test('live replication both ways carries each write over, and ends without listeners', async (t) => {
  const [here, there] = [await serveStore(t), await serveStore(t)]
  const options = { live: true, retry: true, heartbeat: 100 }
  const jobs = [
    replicate(remote(here.url), remote(there.url), options),
    replicate(remote(there.url), remote(here.url), options),
  ]
  for (const [n, from, to] of [
    [1, here, there],
    [2, there, here],
    [3, here, there],
  ] as const) {
    await from.database.put({ _id: `doc${n}` })
    await until('the other side has it', () => to.database.get(`doc${n}`))
  }
  for (const job of jobs) job.cancel()
  await Promise.all(jobs)
  for (const { opened } of [here, there]) {
    await until('no feed waits', () => opened.events.listenerCount('written') === 0)
  }
  t.is((await here.database.info()).doc_count, 3)
  t.is((await there.database.info()).doc_count, 3)
})
