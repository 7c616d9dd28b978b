import test from 'ava'
import PouchDB from 'pouchdb-node'
import { startGateway } from '../helpers/gateway.ts'
import { makeEdit } from '../helpers/keys.ts'
import { until } from '../helpers/wait.ts'

test('nobody comes in without name and password', async (t) => {
  const gateway = await startGateway(t)
  for (const path of ['/', '/ledger', '/ledger/_changes', '/ledger/_local/x', '/_session']) {
    const response = await gateway.request(path, { password: 'wrong' })
    t.is(response.status, 401)
    t.true(response.headers.has('www-authenticate'))
    t.like(await response.json(), { error: 'unauthorized' })
  }
  t.is((await fetch(`${gateway.address}/gateway/`)).status, 401)
})

test('it speaks the replication protocol and nothing else', async (t) => {
  const gateway = await startGateway(t)
  t.like(await (await gateway.request('/')).json(), { couchdb: 'Welcome', uuid: gateway.key.publicKey })
  for (const path of ['/ledger', '/ledger/'])
    t.like(await (await gateway.request(path)).json(), { db_name: 'ledger', doc_count: 0 })
  t.is((await gateway.request('/ledger/_ensure_full_commit', { method: 'POST' })).status, 201)
  for (const [method, path] of [
    ['GET', '/_session'],
    ['GET', '/site'],
    ['GET', '/_all_dbs'],
    ['PUT', '/ledger'],
    ['DELETE', '/ledger'],
    ['GET', '/ledger/_all_docs'],
    ['PUT', '/ledger/x'],
    ['GET', '/ledger/_design/site'],
    ['POST', '/ledger/_compact'],
    ['GET', '/ledger/_security'],
  ] as const) {
    const { status } = await gateway.request(path, { method })
    t.true(status === 404 || status === 405, `${method} ${path} answered ${status}`)
  }
  for (const name of [
    'filter=_doc_ids',
    'selector=x',
    'view=a/b',
    'include_docs=true',
    'descending=true',
    'limit=x',
    'feed=eventsource',
  ]) {
    t.is((await gateway.request(`/ledger/_changes?${name}`)).status, 400, name)
  }
})

test('only the revision that an id implies is ever given', async (t) => {
  const gateway = await startGateway(t)
  const edit = makeEdit(gateway.key)
  await gateway.push([edit])
  await gateway.ledger.database.bulkDocs([{ ...edit, fields: { title: 'Overwritten' } }])
  const ask = async (docs: object[]) => {
    const response = await gateway.request('/ledger/_bulk_get?revs=true', {
      method: 'POST',
      body: JSON.stringify({ docs }),
    })
    return (
      (await response.json()) as { results: { docs: { ok?: { fields: unknown; _revisions: unknown } }[] }[] }
    ).results
  }
  const [known, other, unknown] = await ask([
    { id: edit._id, rev: edit._rev },
    { id: edit._id, rev: '2-abc' },
    { id: makeEdit(gateway.key)._id },
  ])
  t.deepEqual(known?.docs[0]?.ok?.fields, edit.fields)
  t.deepEqual(known?.docs[0]?.ok?._revisions, { start: 1, ids: [edit._rev.slice(2)] })
  t.deepEqual([other?.docs, unknown?.docs], [[], []])
  const single = await gateway.request(`/ledger/${encodeURIComponent(edit._id)}`)
  t.deepEqual(((await single.json()) as { fields: unknown }).fields, edit.fields)
  const open = await gateway.request(
    `/ledger/${encodeURIComponent(edit._id)}?revs=true&open_revs=${encodeURIComponent(JSON.stringify([edit._rev, '1-unknown']))}`,
  )
  const answers = (await open.json()) as ({ ok: object } | { missing: string })[]
  t.deepEqual(
    answers.map((answer) => ('ok' in answer ? 'ok' : answer.missing)),
    ['ok', '1-unknown'],
  )
  const multipart = await gateway.request(`/ledger/${encodeURIComponent(edit._id)}?open_revs=all`, {
    headers: { accept: 'multipart/mixed' },
  })
  t.regex(multipart.headers.get('content-type') ?? '', /^multipart\/mixed; boundary=/)
  t.true((await multipart.text()).includes(edit._id))
})

test('checkpoints are each caller’s own', async (t) => {
  const gateway = await startGateway(t)
  await gateway.request('/ledger/_local/abc', {
    as: 'athens',
    method: 'PUT',
    body: JSON.stringify({ seq: 1 }),
  })
  t.like(await (await gateway.request('/ledger/_local/abc', { as: 'athens' })).json(), {
    _id: '_local/abc',
    seq: 1,
  })
  t.is((await gateway.request('/ledger/_local/abc', { as: 'berlin' })).status, 404)
  for (const id of ['identity', 'links', 'strangers', '..%2Fidentity', 'peer.athens.abc']) {
    t.is((await gateway.request(`/ledger/_local/${id}`, { as: 'berlin' })).status, 404, id)
  }
})

test('a waiting peer hears of a new document at once', async (t) => {
  const gateway = await startGateway(t)
  const waiting = gateway.request('/ledger/_changes?feed=longpoll&since=0&heartbeat=5000')
  const edit = makeEdit(gateway.key)
  await gateway.ledger.database.bulkDocs([edit], { newEdits: false })
  const { results, last_seq: since } = (await (await waiting).json()) as {
    results: { id: string; changes: { rev: string }[] }[]
    last_seq: string
  }
  t.deepEqual(
    results.map(({ id, changes }) => ({ id, changes })),
    [{ id: edit._id, changes: [{ rev: edit._rev }] }],
  )
  const empty = (await (
    await gateway.request(`/ledger/_changes?feed=longpoll&since=${since}&timeout=200`)
  ).json()) as { results: object[] }
  t.deepEqual(empty.results, [])
})

test('where rows are dropped it reads on, because an empty page means the end', async (t) => {
  const gateway = await startGateway(t)
  const { database } = gateway.ledger
  await database.bulkDocs(Array.from({ length: 30 }, (_, number) => ({ _id: `stray-${number}` })))
  const edit = makeEdit(gateway.key)
  await database.bulkDocs([edit], { newEdits: false })
  const { results } = (await (await gateway.request('/ledger/_changes?limit=5')).json()) as {
    results: { id: string }[]
  }
  t.deepEqual(
    results.map(({ id }) => id),
    [edit._id],
  )
})

test('a continuous feed goes on until the client goes', async (t) => {
  const gateway = await startGateway(t)
  const stop = new AbortController()
  const response = await gateway.request('/ledger/_changes?feed=continuous&heartbeat=100', {
    signal: stop.signal,
  })
  let text = ''
  const reading = (async () => {
    for await (const chunk of response.body ?? []) text += Buffer.from(chunk).toString()
  })()
  const edits = [makeEdit(gateway.key), makeEdit(gateway.key)]
  for (const edit of edits) {
    await gateway.push([edit])
    await until('the line is there', () => text.includes(edit._id))
  }
  await until('a heartbeat is there', () => text.includes('\n\n'))
  stop.abort()
  await t.throwsAsync(reading)
})

test('PouchDB replicates both ways through two gateways, and a refused document stops no other', async (t) => {
  const [a, b] = await Promise.all([startGateway(t), startGateway(t)])
  const both = computeBoth([a.key.publicKey, b.key.publicKey])
  a.membership.current = both
  b.membership.current = both
  const onA = Array.from({ length: 60 }, () => makeEdit(a.key))
  const onB = Array.from({ length: 40 }, () => makeEdit(b.key))
  await a.push(onA)
  await b.push(onB)
  const poisoned = { ...makeEdit(a.key), sig: makeEdit(a.key).sig }
  await a.ledger.database.bulkDocs([poisoned], { newEdits: false })
  const denied: string[] = []
  const options = { live: true, retry: true, batch_size: 10, heartbeat: 1000 }
  const jobs = [
    PouchDB.replicate(a.pouch('a'), b.pouch('a'), options),
    PouchDB.replicate(b.pouch('b'), a.pouch('b'), options),
  ]
  for (const job of jobs) {
    job.catch(() => undefined)
    job.on('denied', (error: { id: string }) => denied.push(error.id))
  }
  t.teardown(async () => {
    for (const job of jobs) job.cancel()
    // What they still ask is answered before the gateways close.
    await Promise.allSettled(jobs)
  })
  const late = makeEdit(b.key)
  await b.push([late])
  const wanted = [...onA, ...onB, late].map(({ _id }) => _id).sort()
  const idsOf = async ({ ledger }: typeof a) => (await ledger.database.allDocs({})).rows.map(({ key }) => key)
  await until('B has all', async () => (await idsOf(b)).length === wanted.length)
  await until('A has all', async () => (await idsOf(a)).length === wanted.length + 1)
  t.deepEqual(await idsOf(b), wanted)
  await until('the refusal is told', () => denied.length > 0)
  t.deepEqual([...new Set(denied)], [poisoned._id])
})

function computeBoth(keys: string[]) {
  return {
    members: keys,
    isMember: (key: string) => keys.includes(key),
    isEvicted: () => false,
    counts: (key: string) => keys.includes(key),
  }
}
