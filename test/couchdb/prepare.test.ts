import { once } from 'node:events'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { createServer, request as sendHttp } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import type { ExecutionContext } from 'ava'
import { connectCouch } from '../../src/couch/client.ts'
import { deployDesignDoc, readDesignDoc } from '../../src/couch/design-docs.ts'
import { openBlobs } from '../../src/media/blobs/open.ts'
import { couchSpace, testOnCouchdb } from '../helpers/couchdb.ts'
import type { CouchSpace } from '../helpers/couchdb.ts'
import { testFolder } from '../helpers/folder.ts'
import { formFields, publish, send } from '../helpers/forms.ts'
import { openLink } from '../helpers/link.ts'
import { makeEdit, newKey } from '../helpers/keys.ts'
import { hyperactive, startNode, TestNode } from '../helpers/node.ts'
import { until } from '../helpers/wait.ts'

const FILES_IN_COUCHDB = 'media: { store: { kind: couchdb } }\n'

/** A self-signed certificate for localhost, for tests alone. */
const TLS = join(import.meta.dirname, '../helpers/tls')
const CERTIFICATE = join(TLS, 'certificate.pem')

function space(t: ExecutionContext): CouchSpace {
  const place = couchSpace()
  t.teardown(() => place.remove())
  return place
}

function administrator(t: ExecutionContext, { url, prefix }: CouchSpace) {
  const couch = connectCouch(url, { prefix })
  t.teardown(() => couch[Symbol.asyncDispose]())
  return couch
}

testOnCouchdb(
  'the first start makes databases, a user without rights, and lets nobody else in',
  async (t) => {
    const place = space(t)
    const node = await startNode(t, place.environment)
    const couch = administrator(t, place)
    const { publicKey } = await node.key()
    const username = `hyperactive-${place.prefix}${publicKey.replaceAll(/[^A-Za-z0-9]/g, '').slice(0, 8)}`
    for (const name of ['ledger', 'site']) {
      const security: object = await couch.request({ db: place.prefix + name, path: '_security' })
      t.deepEqual(security, {
        admins: { names: [], roles: ['_admin'] },
        members: { names: [username], roles: ['_admin'] },
      })
    }
    const user = await couch.request<{ roles: string[] }>({
      db: '_users',
      path: encodeURIComponent(`org.couchdb.user:${username}`),
    })
    t.deepEqual(user.roles, [])
    const published = await publish(node, { title: 'On a real CouchDB' })
    t.true((await node.html('/newswire')).includes('On a real CouchDB'))
    await node.stop()
    await node.start()
    t.true((await node.html(published.path)).includes('On a real CouchDB'))
  },
)

testOnCouchdb(
  'the ledger takes new documents of the node’s own user, and no update, deletion or other id',
  async (t) => {
    const place = space(t)
    const node = await startNode(t, place.environment)
    const key = await node.key()
    const url = new URL(place.url)
    url.username = `hyperactive-${place.prefix}${key.publicKey.replaceAll(/[^A-Za-z0-9]/g, '').slice(0, 8)}`
    url.password = key.derive('couchdb user').toString('base64url')
    const own = connectCouch(url.href, { prefix: place.prefix })
    t.teardown(() => own[Symbol.asyncDispose]())
    const ledger = own.database('ledger')
    const document = makeEdit(key, { author: newKey(), fields: { title: 'One' } })
    t.deepEqual(await ledger.bulkDocs([document], { newEdits: false }), [])
    t.deepEqual(await ledger.bulkDocs([document], { newEdits: false }), [], 'once more changes nothing')

    const { _id, _rev } = document
    const refused = async (documents: object[], newEdits = false) =>
      (await ledger.bulkDocs(documents, { newEdits })).map(({ error }) => error)
    t.deepEqual(await refused([{ ...document, title: 'Two' }], true), ['forbidden'], 'an update')
    t.deepEqual(await refused([{ _id, _rev, _deleted: true }], true), ['forbidden'], 'a deletion')
    const second = { ...document, _rev: `1-${'0'.repeat(32)}` }
    t.deepEqual(await refused([second]), ['forbidden'], 'a second revision')
    t.deepEqual(await refused([{ _id: 'x', _rev: `1-${'0'.repeat(32)}` }]), ['forbidden'], 'another id')
    await t.throwsAsync(ledger.put({ _id: '_design/own' }), { message: /answered 40[13]/ })
    await t.throwsAsync(own.deleteDatabase('ledger'), { message: /answered 40[13]/ })
    t.deepEqual(await node.ledgerIds(), [_id])

    const administrating = administrator(t, place).database('ledger')
    await administrating.delete(_id, _rev)
    t.deepEqual(await node.ledgerIds(), [], 'an administrator may')
  },
)

testOnCouchdb('a prepared user needs no administrator’s rights, and is told what is missing', async (t) => {
  const place = space(t)
  const couch = administrator(t, place)
  const name = `hyperactive-${place.prefix}prepared`
  const password = 'a long enough password'
  const path = encodeURIComponent(`org.couchdb.user:${name}`)
  await couch.request({
    method: 'PUT',
    db: '_users',
    path,
    body: { name, password, roles: [], type: 'user' },
  })
  const url = new URL(place.url)
  url.username = name
  url.password = password
  const environment = { ...place.environment, COUCHDB_URL: url.href }
  const node = new TestNode(await testFolder(t), environment)
  t.teardown(() => node.kill())
  await t.throwsAsync(node.start(), { message: /cannot use the database .*ledger; docs\/couchdb.md/ })

  const prepare = async (database: string) => {
    await couch.ensureDatabase(database)
    const body = { admins: { names: [name], roles: [] }, members: { names: [name], roles: [] } }
    await couch.request({ method: 'PUT', db: place.prefix + database, path: '_security', body })
  }
  for (const database of ['ledger', 'site', 'people', 'access', 'office']) await prepare(database)
  await node.start()
  await publish(node, { title: 'By a prepared user' })
  t.true((await node.html('/newswire')).includes('By a prepared user'))

  await node.stop()
  await node.writeConfig(FILES_IN_COUCHDB)
  await t.throwsAsync(node.start(), { message: /cannot use the database .*blobs; docs\/couchdb.md/ })
  await prepare('blobs')
  await node.start()
  const own = connectCouch(url.href, { prefix: place.prefix })
  t.teardown(() => own[Symbol.asyncDispose]())
  await using files = await openBlobs({ kind: 'couchdb' }, {}, { data: await testFolder(t), couch: own })
  const { sha256 } = await files.write(Readable.from([Buffer.from('a file')]))
  t.is((await files.stat(sha256))?.bytes, 6)
  t.true(await files.delete(sha256))
})

testOnCouchdb('files that are kept in CouchDB have a database that administrators alone use', async (t) => {
  const place = space(t)
  const couch = administrator(t, place)
  const node = new TestNode(await testFolder(t), place.environment)
  t.teardown(() => node.kill())
  await node.start()
  await t.throwsAsync(couch.database('blobs').info(), { code: 'couch_404' }, 'without them there is none')
  await node.stop()

  await node.writeConfig(FILES_IN_COUCHDB)
  await node.start()
  const security: object = await couch.request({ db: `${place.prefix}blobs`, path: '_security' })
  t.like(security, { admins: { roles: ['_admin'] }, members: { roles: ['_admin'] } })
  const key = await node.key()
  const url = new URL(place.url)
  url.username = `hyperactive-${place.prefix}${key.publicKey.replaceAll(/[^A-Za-z0-9]/g, '').slice(0, 8)}`
  url.password = key.derive('couchdb user').toString('base64url')
  const own = connectCouch(url.href, { prefix: place.prefix })
  t.teardown(() => own[Symbol.asyncDispose]())
  await t.throwsAsync(own.database('blobs').info(), { message: /answered 40[13]/ })
})

testOnCouchdb('wrong credentials, no CouchDB and none at all are told in one line', async (t) => {
  const place = space(t)
  const start = async (url: string) => {
    const data = join(await testFolder(t), 'data')
    const ran = await hyperactive(['start', '--data', data, '--port', '0'], {
      ...place.environment,
      COUCHDB_URL: url,
    })
    t.is(ran.code, 1)
    t.is(ran.err.trim().split('\n').length, 1, ran.err)
    t.false(ran.err.includes('adminpass-not'))
    return ran.err
  }
  const wrong = new URL(place.url)
  wrong.password = 'adminpass-not'
  t.regex(await start(wrong.href), /refuses the name or password; check COUCHDB_URL/)
  wrong.username = ''
  wrong.password = ''
  t.regex(await start(wrong.href), /names no user/)
  t.regex(await start('http://a:adminpass-not@127.0.0.1:9/'), /no answer/)
  const other = createServer((_, response) => response.end('{}'))
  other.listen(0, '127.0.0.1')
  await once(other, 'listening')
  t.teardown(() => other.close())
  const { port } = other.address() as AddressInfo
  t.regex(await start(`http://a:b@127.0.0.1:${port}/`), /there is no CouchDB/)
})

testOnCouchdb('a node does not start on another store than its own, nor on another node’s', async (t) => {
  const place = space(t)
  const node = await startNode(t, place.environment)
  await node.stop()
  const elsewhere = await hyperactive(['start', '--data', node.data, '--port', '0'])
  t.regex(elsewhere.err, /this node's ledger is at http:\/\/admin:\*\*\*@.*not at the embedded store/)
  const data = join(await testFolder(t), 'data')
  const stranger = await hyperactive(['start', '--data', data, '--port', '0'], place.environment)
  t.regex(stranger.err, /belongs to another node; give this one a database prefix/)
})

testOnCouchdb('a CouchDB behind a path prefix and over TLS serves as well', async (t) => {
  const place = space(t)
  const behind = new URL(place.url)
  const [key, cert] = await Promise.all([readFile(join(TLS, 'key.pem')), readFile(CERTIFICATE)])
  const proxy = createTlsServer({ key, cert }, (incoming, outgoing) => {
    const { url: target = '', method, headers } = incoming
    if (!target.startsWith('/some/couch/')) {
      outgoing.writeHead(404).end()
      return
    }
    const path = target.slice('/some/couch'.length)
    const onward = sendHttp({ host: behind.hostname, port: behind.port, path, method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 500, answer.headers)
      answer.pipe(outgoing)
    })
    onward.on('error', () => outgoing.destroy())
    outgoing.on('close', () => onward.destroy())
    incoming.pipe(onward)
  })
  proxy.listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  t.teardown(() => {
    proxy.closeAllConnections()
    proxy.close()
  })
  const url = new URL(place.url)
  url.protocol = 'https:'
  url.port = String((proxy.address() as AddressInfo).port)
  url.pathname = '/some/couch/'
  const environment = { ...place.environment, COUCHDB_URL: url.href }
  const distrusting = new TestNode(await testFolder(t), environment)
  t.teardown(() => distrusting.kill())
  await t.throwsAsync(distrusting.start(), { message: /self-signed certificate/ })
  const node = await startNode(t, { ...environment, NODE_EXTRA_CA_CERTS: CERTIFICATE })
  await publish(node, { title: 'Behind a path' })
  t.true((await node.html('/newswire')).includes('Behind a path'))
})

testOnCouchdb('an upgrade of the views never shows an empty listing, also when it is cut off', async (t) => {
  const place = space(t)
  const couch = administrator(t, place)
  const site = await couch.ensureDatabase('site')
  await site.bulkDocs(Array.from({ length: 50 }, (_, index) => ({ _id: `item-${index}`, type: 'item' })))
  const folder = await testFolder(t)
  const views = join(folder, 'site', 'views', 'all')
  await mkdir(views, { recursive: true })
  const count = async (design: string) => (await site.view(design, 'all', { limit: 100 })).rows.length
  await writeFile(join(views, 'map.js'), 'function (doc) { emit(doc._id, 1) }\n')
  const first = await deployDesignDoc(site, { folder })
  t.is(await count(first.inForce()), 50)
  const old = first.inForce()

  await writeFile(join(views, 'map.js'), 'function (doc) { emit(doc._id, 3) }\n')
  // An upgrade that was cut off: the new version is there, but nothing was built.
  await site.put(await readDesignDoc('site', folder))
  const next = await deployDesignDoc(site, { folder })
  t.is(next.inForce(), old, 'what answered last goes on until the new one is built')
  await next.switched
  t.not(next.inForce(), old)
  t.is(await count(next.inForce()), 50)
  const { rows } = await site.allDocs({ startkey: '_design/', endkey: '_design0' })
  t.deepEqual(
    rows.map(({ key }) => key),
    [`_design/${next.inForce()}`],
  )
})

testOnCouchdb(
  'while CouchDB is away pages say so and a form gives the text back; then all goes on',
  async (t) => {
    const place = space(t)
    const link = await openLink(t, place.url)
    const url = new URL(place.url)
    url.port = new URL(link.address).port
    const node = await startNode(t, { ...place.environment, COUCHDB_URL: url.href })
    const before = await publish(node, { title: 'Before' })
    const { token = '' } = formFields(await node.html('/publish/article'))
    link.cut()
    const fields = { title: 'Meanwhile', author: '', summary: '', body: 'Not lost', tags: '', language: 'en' }
    const answer = await send(node, '/publish/article', { ...fields, token, action: 'publish' })
    t.is(answer.status, 503)
    t.is(formFields(await answer.text()).body, 'Not lost')
    t.is((await node.page(before.path)).status, 503)
    t.is((await node.page('/readyz')).status, 503)
    t.is((await node.page('/livez')).status, 200)
    link.heal()
    const after = await until('the node publishes again', () => publish(node, { title: 'After' }))
    t.true((await node.html(before.path)).includes('Before'))
    t.true((await node.html(after.path)).includes('After'))
  },
)
