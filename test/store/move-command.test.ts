import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import test from 'ava'
import type { ExecutionContext } from 'ava'
import { connectCouch } from '../../src/couch/client.ts'
import { HybridClock } from '../../src/ledger/clock.ts'
import { Ledger } from '../../src/ledger/ledger.ts'
import { couchSpace, testOfOwnStore, testOnCouchdb } from '../helpers/couchdb.ts'
import type { CouchSpace } from '../helpers/couchdb.ts'
import { BARE } from '../helpers/environment.ts'
import { testFolder } from '../helpers/folder.ts'
import { publish } from '../helpers/forms.ts'
import { makeEdit, newKey } from '../helpers/keys.ts'
import { startNode, TestNode } from '../helpers/node.ts'
import { until } from '../helpers/wait.ts'

/** One line, ours, that says what is wrong. */
const LINE = /^hyperactive: [^\n]+\n$/
/** A node on its own store, in whichever run. */
const OWN_STORE = { COUCHDB_URL: '' }

interface Report {
  from: string
  to: string
  documents: number
  tombstones: number
  hash: string
  leftBehind: { id: string; reason: string }[]
  kept: string | null
  next: string[]
}

function space(t: ExecutionContext): CouchSpace {
  const place = couchSpace()
  t.teardown(() => place.remove())
  return place
}

function databaseOf(t: ExecutionContext, { url, prefix }: CouchSpace) {
  const couch = connectCouch(url, { prefix })
  t.teardown(() => couch[Symbol.asyncDispose]())
  return couch.database('ledger')
}

async function move(node: TestNode, place: CouchSpace | 'embedded'): Promise<Report> {
  const target = place === 'embedded' ? ['--to', 'embedded'] : ['--to', place.url, '--prefix', place.prefix]
  const { code, out, err } = await node.run('store', 'move', ...target, '--json')
  if (code !== 0) throw new Error(err)
  return JSON.parse(out) as Report
}

/** The same data folder under other settings, started. */
async function restarted(t: ExecutionContext, node: TestNode, environment: Record<string, string>) {
  const other = node.with(environment)
  t.teardown(() => other.kill())
  await other.start()
  return other
}

function shows(node: TestNode, path: string, text: string): Promise<boolean> {
  return until(`${text} is shown`, async () => (await node.html(path)).includes(text))
}

async function storeFolders({ data }: TestNode): Promise<string[]> {
  return (await readdir(data)).filter((name) => /^store($|\.[^j])/.test(name))
}

async function ownStore({ data }: TestNode): Promise<{ ledger: string; at: string }> {
  return JSON.parse(await readFile(join(data, 'store.json'), 'utf8')) as { ledger: string; at: string }
}

test('a target that cannot be is told in one line, and nothing changes', async (t) => {
  const node = new TestNode(await testFolder(t), OWN_STORE)
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  const wrong: [string[], number, RegExp][] = [
    [['--to', 'somewhere'], 2, /--to: is not an http or https address/],
    [['--to', 'ftp://x/'], 2, /--to: is not an http/],
    [['--to', 'http://x/', '--prefix', 'Ä'], 2, /--prefix: must be up to 40/],
    [['--to', 'embedded', '--prefix', 'a'], 2, /the embedded store has none/],
    [['--to', 'embedded'], 1, /is at the embedded store already/],
    [['--to', `http://admin:very-secret@127.0.0.1:${port}/`], 1, /got no answer/],
  ]
  for (const [flags, expected, message] of wrong) {
    const { code, out, err } = await node.run('store', 'move', ...flags)
    t.is(code, expected, err)
    t.regex(err, LINE)
    t.regex(err, message)
    t.is(out, '')
    t.false(err.includes('very-secret'))
  }
  t.is((await node.run('store', 'move')).code, 2)
  t.deepEqual(await storeFolders(node), ['store'])
})

testOfOwnStore('a running node is to be stopped first', async (t) => {
  const node = await startNode(t)
  const { code, err } = await node.run('store', 'move', '--to', 'http://127.0.0.1:9/')
  t.is(code, 1)
  t.regex(err, LINE)
  t.regex(err, /stop it first/)
})

testOnCouchdb(
  'an embedded node moves to a CouchDB, to another prefix, and back, with all it has',
  async (t) => {
    const [first, second] = [space(t), space(t)]
    const node = await startNode(t, OWN_STORE)
    const one = await publish(node, { title: 'Written at home' })
    const gone = makeEdit(await node.key())
    await node.withCouch(async (couch) => {
      const ledger = couch.database('ledger')
      await ledger.bulkDocs([gone], { newEdits: false })
      await ledger.delete(gone._id, gone._rev)
    })
    await node.stop()

    const up = await move(node, first)
    t.like(up, { from: 'the embedded store', documents: 1, tombstones: 1, leftBehind: [] })
    t.false(JSON.stringify(up).includes('adminpass'))
    t.true(up.to.endsWith(first.prefix))
    t.regex(up.next.join(' '), new RegExp(`COUCHDB_URL.*${first.prefix}`))
    t.is((await storeFolders(node)).length, 1)
    t.regex(up.kept ?? '', /store\.moved-/)
    const astray = await node.run('status')
    t.is(astray.code, 1)
    t.regex(astray.err, /this node's ledger is at http.*set COUCHDB_URL/)

    const upstairs = await restarted(t, node, first.environment)
    await shows(upstairs, one.path, 'Written at home')
    const two = await publish(upstairs, { title: 'Written on CouchDB' })
    await upstairs.withCouch(async (couch) => {
      const { rows } = await couch.database('ledger').allDocs({ keys: [gone._id] })
      t.true(rows[0]?.value?.deleted)
    })
    await upstairs.stop()

    const same = await upstairs.run('store', 'move', '--to', first.url)
    t.is(same.code, 1)
    t.regex(same.err, /already; --to names where it is to go/)

    const over = await move(upstairs, second)
    t.like(over, { documents: 2, tombstones: 1, kept: null })
    t.regex(over.next.join(' '), /left as it is/)

    const elsewhere = node.with(second.environment)
    const back = await move(elsewhere, 'embedded')
    t.like(back, { to: 'the embedded store', documents: 2, tombstones: 1, kept: null, hash: over.hash })
    t.is((await ownStore(node)).at, 'the embedded store')
    const home = await restarted(t, node, OWN_STORE)
    for (const [{ path }, title] of [
      [one, 'Written at home'],
      [two, 'Written on CouchDB'],
    ] as const) {
      await shows(home, path, title)
    }
    t.deepEqual(await home.ledgerIds(), (await databaseIds(t, first)).sort())
  },
)

async function databaseIds(t: ExecutionContext, place: CouchSpace): Promise<string[]> {
  const { rows } = await databaseOf(t, place).allDocs({ endkey: '_design/' })
  const after = await databaseOf(t, place).allDocs({ startkey: '_design0' })
  return [...rows, ...after.rows].map(({ key }) => key)
}

testOnCouchdb('a move to a CouchDB that is killed changes nothing, and the next run goes on', async (t) => {
  const place = space(t)
  const node = await startNode(t, OWN_STORE)
  const key = await node.key()
  const edits = Array.from({ length: 2500 }, () => makeEdit(key))
  await node.withCouch((couch) => couch.database('ledger').bulkDocs(edits, { newEdits: false }))
  await node.stop()
  const before = await ownStore(node)
  const main = join(import.meta.dirname, '../../src/main.ts')
  const args = ['store', 'move', '--data', node.data, '--to', place.url, '--prefix', place.prefix]
  const child = spawn(process.execPath, [main, ...args], { stdio: 'ignore', env: BARE })
  const closed = once(child, 'close')
  const database = databaseOf(t, place)
  const saved = await until(
    'the first page is saved',
    () => database.get('_local/move').catch(() => undefined),
    30_000,
    5,
  )
  child.kill('SIGKILL')
  await closed
  t.is(child.signalCode, 'SIGKILL')
  t.deepEqual(await ownStore(node), before)
  t.deepEqual(await storeFolders(node), ['store'])
  t.is(saved.source, before.ledger)

  const { documents } = await move(node, place)
  t.is(documents, 2500)
  t.is(await database.get('_local/move'), undefined)
  t.deepEqual((await databaseIds(t, place)).sort(), edits.map(({ _id }) => _id).sort())
})

testOnCouchdb('a half-made embedded store of a move that was cut off is gone on with', async (t) => {
  const place = space(t)
  const node = await startNode(t, place.environment)
  await publish(node, { title: 'Carried home' })
  await node.stop()
  const child = spawn(
    process.execPath,
    [
      join(import.meta.dirname, '../../src/main.ts'),
      'store',
      'move',
      '--data',
      node.data,
      '--to',
      'embedded',
    ],
    { stdio: 'ignore', env: { ...BARE, ...place.environment } },
  )
  const closed = once(child, 'close')
  await until('the folder is there', async () => (await storeFolders(node)).includes('store'), 30_000, 5)
  child.kill('SIGKILL')
  await closed
  t.regex((await ownStore(node)).at, /^http/)
  const report = await move(node, 'embedded')
  t.is(report.documents, 1)
  t.deepEqual(await storeFolders(node), ['store'])
})

testOnCouchdb(
  'a CouchDB that is another’s, holds something else or refuses the password is told',
  async (t) => {
    const place = space(t)
    const node = new TestNode(await testFolder(t), OWN_STORE)
    const couch = connectCouch(place.url, place)
    t.teardown(() => couch[Symbol.asyncDispose]())
    const database = await couch.ensureDatabase('ledger')
    const target = ['store', 'move', '--to', place.url, '--prefix', place.prefix]

    await database.put({ _id: 'recipes' })
    const occupied = await node.run(...target)
    t.is(occupied.code, 1)
    t.regex(occupied.err, /holds documents already.*--prefix/)

    const theirs = new Ledger(database, newKey(), new HybridClock())
    await theirs.identity()
    const strange = await node.run(...target)
    t.regex(strange.err, /belongs to another node/)

    const wrong = new URL(place.url)
    wrong.password = 'very-secret'
    const refused = await node.run('store', 'move', '--to', wrong.href)
    t.is(refused.code, 1)
    t.regex(refused.err, /refuses the name or password; check --to/)
    for (const { err } of [occupied, strange, refused]) {
      t.regex(err, LINE)
      t.notRegex(err, /very-secret|adminpass/)
    }
    t.deepEqual(await storeFolders(node), ['store'])
  },
)
