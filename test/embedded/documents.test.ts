import test from 'ava'
import { serveStore } from './store.ts'

test('databases are created, described and deleted with the status codes of CouchDB', async (t) => {
  const { call } = await serveStore(t)
  t.deepEqual((await call('PUT', '/site')).body, { ok: true })
  const again = await call('PUT', '/site')
  t.is(again.status, 412)
  t.is(again.body.error, 'file_exists')
  t.deepEqual((await call('GET', '/_all_dbs')).body, ['ledger', 'site'])
  const info = (await call('GET', '/site')).body
  t.is(info.db_name, 'site')
  t.is(info.doc_count, 0)
  t.is(info.doc_del_count, 0)
  t.is(info.update_seq, 0)
  t.is(info.instance_start_time, '0')
  t.is((await call('HEAD', '/site')).status, 200)
  t.deepEqual((await call('DELETE', '/site')).body, { ok: true })
  t.is((await call('DELETE', '/site')).status, 404)
  const illegal = await call('PUT', '/Site')
  t.is(illegal.status, 400)
  t.is(illegal.body.error, 'illegal_database_name')
})

test('a database that was never made is a 404 and stays unmade', async (t) => {
  const { call } = await serveStore(t)
  for (const [method, path] of [
    ['GET', '/ghost'],
    ['GET', '/ghost/doc'],
    ['PUT', '/ghost/doc'],
    ['POST', '/ghost/_bulk_docs'],
    ['GET', '/ghost/_changes'],
  ] as const) {
    const { status, body } = await call(method, path, method === 'GET' ? undefined : { docs: [] })
    t.is(status, 404)
    t.deepEqual(body, { error: 'not_found', reason: 'Database does not exist.' })
  }
  t.is((await call('HEAD', '/ghost')).status, 404)
  t.deepEqual((await call('GET', '/_all_dbs')).body, ['ledger'])
})

test('two requests that make one database at once get one 201 and one 412', async (t) => {
  const { call } = await serveStore(t)
  const answers = await Promise.all([call('PUT', '/twice'), call('PUT', '/twice')])
  t.deepEqual(
    answers.map(({ status }) => status).sort((a, b) => a - b),
    [201, 412],
  )
})

test('a database that is made again after its deletion is empty', async (t) => {
  const { call } = await serveStore(t)
  await call('PUT', '/ledger/doc', { text: 'old' })
  await call('DELETE', '/ledger')
  await call('PUT', '/ledger')
  t.is((await call('GET', '/ledger/doc')).status, 404)
  t.is((await call('GET', '/ledger')).body.update_seq, 0)
})

test('only the health route answers without the password', async (t) => {
  const { url } = await serveStore(t)
  const health = await fetch(`${url}/_up`)
  t.is(health.status, 200)
  t.deepEqual(await health.json(), { status: 'ok' })
  const bare = await fetch(`${url}/ledger`)
  t.is(bare.status, 401)
  t.deepEqual(await bare.json(), { error: 'unauthorized', reason: 'Authentication required.' })
  const wrong = await fetch(`${url}/`, { headers: { authorization: `Basic ${btoa('node:guess')}` } })
  t.is(wrong.status, 401)
  t.deepEqual(await wrong.json(), { error: 'unauthorized', reason: 'Name or password is incorrect.' })
})

test('a document is written, read, changed and deleted with its revisions and ETags', async (t) => {
  const { call } = await serveStore(t)
  const made = await call('PUT', '/ledger/doc', { text: 'one' })
  t.is(made.status, 201)
  const { rev } = made.body
  t.is(made.headers.get('etag'), `"${rev}"`)
  const read = await call('GET', '/ledger/doc')
  t.deepEqual(read.body, { _id: 'doc', _rev: rev, text: 'one' })
  t.is((await call('HEAD', '/ledger/doc')).headers.get('etag'), `"${rev}"`)
  t.is((await call('GET', '/ledger/doc', undefined, { 'if-none-match': `"${rev}"` })).status, 304)

  const conflict = await call('PUT', '/ledger/doc', { text: 'two' })
  t.is(conflict.status, 409)
  t.deepEqual(conflict.body, { error: 'conflict', reason: 'Document update conflict.' })
  const second = await call('PUT', `/ledger/doc?rev=${rev}`, { text: 'two' })
  t.is(second.status, 201)
  const history = (await call('GET', '/ledger/doc?revs=true')).body._revisions
  t.deepEqual(history, { start: 2, ids: [second.body.rev.slice(2), rev.slice(2)] })
  t.is((await call('GET', `/ledger/doc?rev=${rev}`)).body.text, 'one')

  t.is((await call('DELETE', '/ledger/doc')).status, 409)
  t.is((await call('DELETE', `/ledger/doc?rev=${rev}`)).status, 409)
  t.is((await call('DELETE', `/ledger/doc?rev=${second.body.rev}`)).status, 200)
  t.deepEqual((await call('GET', '/ledger/doc')).body, { error: 'not_found', reason: 'deleted' })
  t.deepEqual((await call('GET', '/ledger/other')).body, { error: 'not_found', reason: 'missing' })
  t.is((await call('DELETE', '/ledger/other?rev=1-abc')).status, 404)
  const { doc_count, doc_del_count } = (await call('GET', '/ledger')).body
  t.deepEqual([doc_count, doc_del_count], [0, 1])
})

test('a post without an id gets one', async (t) => {
  const { call } = await serveStore(t)
  const { status, body } = await call('POST', '/ledger', { text: 'x' })
  t.is(status, 201)
  t.regex(body.id, /^[0-9a-f]{32}$/)
  t.is((await call('GET', `/ledger/${body.id}`)).body.text, 'x')
  t.is((await call('POST', '/ledger', { _id: body.id })).status, 409)
})

test('ids may hold slashes, Unicode and what else a URL must encode', async (t) => {
  const { call, database } = await serveStore(t)
  const ids = ['a/b', 'ü–日本語 😀', 'x?y=1&z#%25', 'with space', '__proto__', 'c:d']
  for (const id of ids.filter((id) => !id.startsWith('_'))) {
    await database.put({ _id: id })
    t.is((await database.get(id))?._id, id)
    t.is((await call('GET', `/ledger/${encodeURIComponent(id)}`)).body._id, id)
  }
  const { rows } = await database.allDocs({ keys: ids })
  t.deepEqual(
    rows.map(({ key, error }) => [key, error]),
    ids.map((id) => [id, id.startsWith('_') ? 'not_found' : undefined]),
  )
  await call('PUT', '/ledger/_design%2Fx', { views: {} })
  t.is((await call('GET', '/ledger/_design/x')).body._id, '_design/x')
  t.is((await call('GET', '/ledger/_design%2Fx')).body._id, '_design/x')
})

test('open_revs with a revision that nobody knows is answered, and the store lives on', async (t) => {
  const { call } = await serveStore(t)
  const { rev } = (await call('PUT', '/ledger/doc', { text: 'x' })).body
  const unknown = '2-00000000000000000000000000000000'
  for (const more of ['', '&latest=true', '&revs=true&latest=true']) {
    const { status, body } = await call('GET', path([unknown, rev], more))
    t.is(status, 200)
    t.deepEqual(body[0], { missing: unknown })
    t.is(body[1].ok._rev, rev)
  }
  t.is((await call('GET', path([unknown], '&latest=true').replace('doc', 'nodoc'))).status, 200)
  t.is((await call('GET', '/ledger/nodoc?open_revs=all')).status, 404)
  t.is((await call('GET', path(['nonsense']))).body[0].missing, 'nonsense')
  t.is((await call('GET', '/ledger/doc?open_revs=[1')).status, 400)
  t.is((await call('GET', `/ledger/doc?rev=${unknown}`)).status, 404)
  t.is((await call('GET', '/ledger/doc?rev=bogus')).status, 400)
  t.is((await call('PUT', '/ledger/after', {})).status, 201)
})

test('open_revs shows every conflicting leaf, and latest follows a revision to its leaves', async (t) => {
  const { call, database } = await serveStore(t)
  const first = { _id: 'doc', _rev: '1-aa' }
  await database.bulkDocs([first, leaf('bb', 'aa'), leaf('cc', 'aa')], { newEdits: false })
  t.deepEqual(revsOf((await call('GET', '/ledger/doc?open_revs=all')).body), ['2-bb', '2-cc'])
  const latest = await call('GET', '/ledger/doc?open_revs=["1-aa"]&latest=true')
  t.deepEqual(revsOf(latest.body), ['2-bb', '2-cc'])
  t.deepEqual(revsOf((await call('GET', '/ledger/doc?open_revs=["1-aa"]')).body), ['1-aa'])
  t.deepEqual((await call('GET', '/ledger/doc?conflicts=true')).body._conflicts, ['2-bb'])
})

test('local documents are kept apart, and the last write wins as in CouchDB', async (t) => {
  const { call } = await serveStore(t)
  t.is((await call('PUT', '/ledger/_local/checkpoint', { seq: 1 })).body.rev, '0-1')
  t.is((await call('PUT', '/ledger/_local/checkpoint', { seq: 2 })).status, 201)
  t.is((await call('PUT', '/ledger/_local/checkpoint', { _rev: '0-1', seq: 3 })).status, 201)
  t.is((await call('GET', '/ledger/_local/checkpoint')).body.seq, 3)
  t.is((await call('GET', '/ledger')).body.update_seq, 0)
  t.is((await call('DELETE', '/ledger/_local/checkpoint')).status, 200)
  t.is((await call('GET', '/ledger/_local/checkpoint')).status, 404)
  t.is((await call('DELETE', '/ledger/_local/checkpoint')).status, 404)
})

test('the small routes answer as CouchDB does', async (t) => {
  const { call } = await serveStore(t)
  t.is((await call('GET', '/')).body.couchdb, 'Welcome')
  t.true((await call('GET', '/_session')).body.ok)
  t.is((await call('GET', '/_uuids?count=3')).body.uuids.length, 3)
  t.is((await call('POST', '/ledger/_ensure_full_commit')).status, 201)
  t.is((await call('POST', '/ledger/_compact')).status, 202)
  t.is((await call('POST', '/ledger/_view_cleanup')).status, 202)
  const security = { admins: { names: ['a'], roles: [] }, members: { names: [], roles: [] } }
  t.deepEqual((await call('PUT', '/ledger/_security', security)).body, { ok: true })
  t.deepEqual((await call('GET', '/ledger/_security')).body, security)
})

const path = (revs: string[], more = '') =>
  `/ledger/doc?open_revs=${encodeURIComponent(JSON.stringify(revs))}${more}`

const leaf = (hash: string, parent: string) => ({
  _id: 'doc',
  _rev: `2-${hash}`,
  _revisions: { start: 2, ids: [hash, parent] },
})

const revsOf = (body: { ok: { _rev: string } }[]) => body.map(({ ok }) => ok._rev).sort()
