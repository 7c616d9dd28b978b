import { readdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { connectCouch } from '../../src/couch/client.ts'
import { HybridClock } from '../../src/ledger/clock.ts'
import { Ledger } from '../../src/ledger/ledger.ts'
import { examineLedger } from '../../src/upkeep/examine.ts'
import type { Problem } from '../../src/upkeep/examine.ts'
import { putRescue } from '../../src/upkeep/rescue.ts'
import { repairCouchdb } from '../../src/upkeep/repair.ts'
import { couchSpace, ON_COUCHDB, testOfOwnStore, testOnCouchdb } from '../helpers/couchdb.ts'
import { publish } from '../helpers/forms.ts'
import { diagnosis, intrude, intrudeInto, pagesNeverShow, retitled } from '../helpers/intruder.ts'
import { makeEdit, newKey } from '../helpers/keys.ts'
import { startNode } from '../helpers/node.ts'
import type { TestNode } from '../helpers/node.ts'
import { startStore } from '../helpers/store.ts'
import { until } from '../helpers/wait.ts'

interface Report {
  ledgerDocuments: number
  tombstones: number
  store: string
  running: boolean
  problems: Problem[]
  repaired?: Problem[]
  kept?: string | null
  held: Record<string, number>
  peersFileProblem: string | null
}

function kinds(problems: readonly Problem[]): Record<string, string> {
  return Object.fromEntries(problems.map(({ id, kind }) => [id, kind]))
}

async function doctor(node: TestNode, ...flags: string[]): Promise<Report & { code: number | null }> {
  const { code, out, err } = await node.run('doctor', '--json', ...flags)
  if (out === '') throw new Error(err)
  return { ...(JSON.parse(out) as Report), code }
}

test('everything that was written past the gateway is found, and a genuine erasure is not reported', async (t) => {
  const { ledger, key } = await startStore(t)
  const intrusion = await intrude(ledger.database, key)
  const { documents, tombstones, problems } = await examineLedger(ledger.database)
  t.deepEqual(kinds(problems), diagnosis(intrusion))
  t.deepEqual({ documents, tombstones }, { documents: 3, tombstones: 2 })
  const { forged, invented } = intrusion
  t.deepEqual(problems.flatMap(({ id, lost }) => (lost ? [id] : [])).sort(), [forged._id, invented].sort())
})

test('a document that was written over and compacted is lost here, and a peer’s comes in again after the repair', async (t) => {
  const { ledger, key } = await startStore(t)
  const { database } = ledger
  const edit = makeEdit(key)
  await database.bulkDocs([edit], { newEdits: false })
  await database.put(retitled(edit, 'Bogus text'))
  await database.compact()
  const lost = await until('the true content is gone', async () => {
    const { problems } = await examineLedger(database)
    return problems.find(({ kind }) => kind === 'missing')
  })
  t.like(lost, { id: edit._id, lost: true })
  if (!ON_COUCHDB) return
  await repairCouchdb(ledger, [lost])
  t.deepEqual(await examineLedger(database), { documents: 0, tombstones: 0, problems: [] })
  await database.bulkDocs([edit], { newEdits: false })
  t.deepEqual(await examineLedger(database), { documents: 1, tombstones: 0, problems: [] })
})

test('a deleted branch beside a document is harmless and not reported', async (t) => {
  const { ledger, key } = await startStore(t)
  const edit = makeEdit(key)
  const rev = `1-${'f'.repeat(32)}`
  await ledger.database.bulkDocs([edit, { ...edit, _rev: rev }], { newEdits: false })
  await ledger.database.delete(edit._id, rev)
  t.deepEqual(await examineLedger(ledger.database), { documents: 1, tombstones: 0, problems: [] })
})

testOfOwnStore(
  'the embedded store is written anew, with the node stopped, and the old folder kept',
  async (t) => {
    const node = await startNode(t)
    const mine = await publish(node, { title: 'Published before' })
    const intrusion = await intrudeInto(node)
    const { code, problems, store, running } = await doctor(node)
    t.deepEqual({ code, store, running }, { code: 1, store: 'the embedded store', running: true })
    t.deepEqual(kinds(problems), diagnosis(intrusion))
    const refused = await node.run('doctor', '--repair')
    t.is(refused.code, 1)
    t.regex(refused.err, /^hyperactive: [^\n]*stop it first[^\n]*\n$/)

    await node.stop()
    const repair = await doctor(node, '--repair')
    t.is(repair.code, 0)
    t.deepEqual(repair.problems, [])
    t.deepEqual(kinds(repair.repaired ?? []), diagnosis(intrusion))
    t.deepEqual(
      { documents: repair.ledgerDocuments, tombstones: repair.tombstones },
      { documents: 4, tombstones: 2 },
    )
    t.regex(repair.kept ?? '', /store\.broken-/)
    const folders = (await readdir(node.data)).filter(
      (name) => name.startsWith('store') && name !== 'store.json',
    )
    t.is(folders.length, 2)
    t.true(folders.includes('store'))
    await node.start()
    await until('the pages are made anew', async () =>
      (await node.html(mine.path)).includes('Published before'),
    )
    const { code: after } = await doctor(node)
    t.is(after, 0)
    await pagesNeverShow(t, node, intrusion)
  },
)

testOfOwnStore(
  'a repair that is cut off while the folders are swapped is finished by the next start',
  async (t) => {
    const node = await startNode(t)
    const mine = await publish(node, { title: 'Still here' })
    await node.stop()
    const file = join(node.data, 'store.json')
    const own = JSON.parse(await readFile(file, 'utf8')) as { ledger: string }
    await rename(join(node.data, 'store'), join(node.data, 'store.repaired'))
    await writeFile(file, JSON.stringify({ ...own, ledger: 'the old one', next: own.ledger }))
    await node.start()
    t.true((await node.html(mine.path)).includes('Still here'))
    t.deepEqual(JSON.parse(await readFile(file, 'utf8')), { ledger: own.ledger, at: 'the embedded store' })
  },
)

test('where nothing is wrong it says so, and repairs nothing', async (t) => {
  const node = await startNode(t)
  await publish(node, {})
  const { code, problems, ledgerDocuments, peersFileProblem } = await doctor(node)
  t.deepEqual(
    { code, problems, ledgerDocuments, peersFileProblem },
    { code: 0, problems: [], ledgerDocuments: 1, peersFileProblem: null },
  )
  await node.stop()
  const repair = await doctor(node, '--repair')
  t.is(repair.code, 0)
  t.is(repair.repaired, undefined)
  t.deepEqual(
    (await readdir(node.data)).filter((name) => name.startsWith('store.') && name !== 'store.json'),
    [],
  )
  const text = await node.run('doctor')
  t.regex(text.out, /past the gateway {2}nothing/)

  await node.writePeers('peers:\n  - name: a\n    colour: red\n')
  const bad = await doctor(node)
  t.is(bad.code, 1)
  t.regex(bad.peersFileProblem ?? '', /colour/)
})

testOnCouchdb(
  'a CouchDB is repaired under the running node, and what was written over comes back',
  async (t) => {
    const place = couchSpace()
    t.teardown(() => place.remove())
    const node = await startNode(t, place.environment)
    const intrusion = await intrudeInto(node)
    t.deepEqual(kinds((await doctor(node)).problems), diagnosis(intrusion))
    const repair = await doctor(node, '--repair')
    t.is(repair.code, 0)
    t.deepEqual(repair.problems, [])
    t.deepEqual(
      { documents: repair.ledgerDocuments, tombstones: repair.tombstones },
      { documents: 3, tombstones: 2 },
    )
    const { honest, writtenOver, beside, erased, overErasure } = intrusion
    t.deepEqual(
      (await node.ledgerIds()).filter((id) => !id.startsWith('_design/')),
      [honest, writtenOver, beside].map(({ _id }) => _id).sort(),
    )
    const restored = await node.ledgerDocument(writtenOver._id)
    t.deepEqual(restored, writtenOver)
    await node.withCouch(async (couch) => {
      const { rows } = await couch.database('ledger').allDocs({ keys: [erased._id, overErasure._id] })
      t.true(rows.every(({ value }) => value?.deleted))
    })
    await pagesNeverShow(t, node, intrusion)
  },
)

testOnCouchdb(
  'what a repair took away and did not put back is reported, and put back by the next',
  async (t) => {
    const place = couchSpace()
    t.teardown(() => place.remove())
    const couch = connectCouch(place.url, place)
    t.teardown(() => couch[Symbol.asyncDispose]())
    const key = newKey()
    const ledger = new Ledger(await couch.ensureDatabase('ledger'), key, new HybridClock())
    const edit = makeEdit(key)
    await ledger.database.bulkDocs([edit], { newEdits: false })
    await putRescue(ledger.database, edit)
    await ledger.database.purge({ [edit._id]: [edit._rev] })
    const { documents, problems } = await examineLedger(ledger.database)
    t.is(documents, 0)
    t.like(problems, [{ id: edit._id, kind: 'missing', lost: false }])
    await repairCouchdb(ledger, problems)
    t.deepEqual(await examineLedger(ledger.database), { documents: 1, tombstones: 0, problems: [] })
  },
)

testOnCouchdb('a user who is no administrator is told that only one can repair', async (t) => {
  const place = couchSpace()
  t.teardown(() => place.remove())
  const node = await startNode(t, place.environment)
  await intrudeInto(node)
  const key = await node.key()
  const username = `hyperactive-${place.prefix}${key.publicKey.replaceAll(/[^A-Za-z0-9]/g, '').slice(0, 8)}`
  const url = new URL(place.url)
  url.username = username
  url.password = key.derive('couchdb user').toString('base64url')
  await node.stop()
  const plain = node.with({ ...place.environment, COUCHDB_URL: url.href })
  const { code, err } = await plain.run('doctor', '--repair')
  t.is(code, 1)
  t.regex(err, /^hyperactive: only an administrator[^\n]+\n$/)
})
