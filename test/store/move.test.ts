import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import test from 'ava'
import type { Database } from '../../src/couch/database.ts'
import type { Edit } from '../../src/ledger/document.ts'
import { copyLedger } from '../../src/upkeep/copy.ts'
import type { Progress } from '../../src/upkeep/copy.ts'
import { digestLedger } from '../../src/upkeep/digest.ts'
import { makeEdit } from '../helpers/keys.ts'
import { testFolder } from '../helpers/folder.ts'
import { startStore } from '../helpers/store.ts'
import type { TestStore } from '../helpers/store.ts'

const MANY = 1200

function cutOff(): never {
  throw new Error('cut off')
}

async function twoStores(t: ExecutionContext): Promise<{ source: TestStore; target: Database }> {
  const [source, { ledger }] = await Promise.all([startStore(t), startStore(t)])
  await source.ledger.identity()
  return { source, target: ledger.database }
}

async function publishMany({ key, ledger }: TestStore, count: number): Promise<Edit[]> {
  const edits = Array.from({ length: count }, (_, index) =>
    makeEdit(key, { fields: { title: `Number ${index}` } }),
  )
  noneRefused(await ledger.database.bulkDocs(edits, { newEdits: false }))
  return edits
}

function noneRefused(refused: object[]): void {
  if (refused.length > 0) throw new Error(JSON.stringify(refused))
}

async function erase(database: Database, edit: Edit): Promise<void> {
  await database.delete(edit._id, edit._rev)
}

async function ids(database: Database): Promise<string[]> {
  const { rows } = await database.allDocs({})
  return rows.map(({ key }) => key)
}

async function rowsOf(database: Database, edits: readonly Edit[]) {
  const { rows } = await database.allDocs({ keys: edits.map(({ _id }) => _id) })
  return rows.map(({ key, value }) => ({ key, value }))
}

test('a ledger arrives whole, with its tombstones, and what was erased stays erased', async (t) => {
  const { source, target } = await twoStores(t)
  const { database } = source.ledger
  const edits = await publishMany(source, MANY)
  const erased = edits.slice(3, 6)
  for (const edit of erased) await erase(database, edit)

  const { documents, tombstones, hash, leftBehind } = await copyLedger(database, target)
  t.deepEqual({ documents, tombstones, leftBehind }, { documents: MANY - 3, tombstones: 3, leftBehind: [] })
  t.is((await digestLedger(target)).hash, hash)
  t.deepEqual(await ids(target), await ids(database))
  t.deepEqual(
    await target.get(edits[0]?._id ?? ''),
    edits[0] as object as Awaited<ReturnType<Database['get']>>,
  )
  const gone = await rowsOf(target, erased)
  t.deepEqual(gone, await rowsOf(database, erased))
  t.true(gone.every(({ value }) => value?.deleted))
  await target.bulkDocs(erased, { newEdits: false })
  t.deepEqual(await rowsOf(target, erased), gone, 'the tombstone knows what it erased')
})

test('strangers’ counts and links go along; checkpoints and what speaks of sequence numbers stay', async (t) => {
  const { source, target } = await twoStores(t)
  const { database } = source.ledger
  await publishMany(source, 1)
  const links = { links: [], refusals: { counts: {}, latest: [] }, confirmed: { athens: { seq: 5, at: '' } } }
  for (const document of [
    { _id: '_local/strangers', counts: { athens: { key: 3 } } },
    { _id: '_local/links', ...links },
    { _id: '_local/peer.athens.checkpoint', last_seq: 5 },
  ]) {
    await database.put(document)
  }
  await copyLedger(database, target)
  t.like(await target.get('_local/strangers'), { counts: { athens: { key: 3 } } })
  const copied = await target.get('_local/links')
  t.like(copied, { refusals: links.refusals })
  t.false('confirmed' in (copied ?? {}))
  for (const id of ['peer.athens.checkpoint', 'identity', 'move'])
    t.is(await target.get(`_local/${id}`), undefined, id)
})

test('what does not prove itself or is no ledger document stays behind, and is named with the reason', async (t) => {
  const { source, target } = await twoStores(t)
  const { database } = source.ledger
  const [honest, altered, writtenOver, beside, erased] = (await publishMany(source, 5)) as [
    Edit,
    Edit,
    Edit,
    Edit,
    Edit,
  ]
  const edit = makeEdit(source.key)
  const forged = { ...edit, fields: { ...edit.fields, title: 'Another title' } }
  const invented = `${altered._id.slice(0, -40)}${'a'.repeat(40)}`
  await database.bulkDocs(
    [
      forged,
      { _id: 'shopping-list', _rev: '1-abc', milk: 1 },
      { _id: invented, _rev: '1-abc', text: 'no such document' },
      { ...beside, _rev: '1-ffff', fields: {} },
    ],
    { newEdits: false },
  )
  await database.put({ _id: '_design/spy', language: 'javascript', views: {} } as { _id: string })
  await database.put({ ...writtenOver, fields: {} } as { _id: string })
  await erase(database, erased)
  await database.bulkDocs([{ ...erased, _rev: '3-abc', text: 'back again' }], { newEdits: false })

  const { documents, tombstones, leftBehind } = await copyLedger(database, target)
  t.deepEqual({ documents, tombstones }, { documents: 4, tombstones: 1 })
  const reasons = Object.fromEntries(leftBehind.map(({ id, reason }) => [id, reason]))
  t.regex(reasons[forged._id] ?? '', /does not follow from the content/)
  t.regex(reasons['shopping-list'] ?? '', /no document of the ledger/)
  t.regex(reasons[invented] ?? '', /is not here/)
  t.regex(reasons[writtenOver._id] ?? '', /2-/)
  t.regex(reasons[beside._id] ?? '', /1-ffff/)
  t.regex(reasons[erased._id] ?? '', /3-abc/)
  t.is(leftBehind.length, 6)
  t.deepEqual(await ids(target), [honest, altered, writtenOver, beside].map(({ _id }) => _id).sort())
  t.deepEqual((await target.get(writtenOver._id))?.fields, writtenOver.fields)
  t.true((await rowsOf(target, [erased]))[0]?.value?.deleted)
})

test('a copy that was cut off goes on where it was, and starts again for another source', async (t) => {
  const { source, target } = await twoStores(t)
  await publishMany(source, MANY)
  await t.throwsAsync(copyLedger(source.ledger.database, target, { onProgress: cutOff }), {
    message: 'cut off',
  })
  const place = await target.get('_local/move')
  t.like(place, { count: 500, source: (await source.ledger.identity()).uuid })

  const other = await startStore(t)
  await other.ledger.identity()
  const [edit] = await publishMany(other, 1)
  const seen: Progress[] = []
  const watch = { onProgress: (progress: Progress) => void seen.push(progress) }
  await t.throwsAsync(copyLedger(other.ledger.database, target, watch), { code: 'move_not_equal' })
  t.is(seen[0]?.done, 1, 'from the beginning')
  await target.delete(edit?._id ?? '', edit?._rev ?? '')
  t.like(await target.get('_local/move'), { count: 1 })
})

test('a second run goes on from the saved place', async (t) => {
  const { source, target } = await twoStores(t)
  await publishMany(source, MANY)
  await t.throwsAsync(copyLedger(source.ledger.database, target, { onProgress: cutOff }))
  const seen: Progress[] = []
  const { documents } = await copyLedger(source.ledger.database, target, {
    onProgress: (progress) => void seen.push(progress),
  })
  t.is(documents, MANY)
  t.is(seen[0]?.done, 1000)
  t.deepEqual(await ids(target), await ids(source.ledger.database))
})

test('what the target lost after the place was saved is found missing and copied again', async (t) => {
  const { source, target } = await twoStores(t)
  await publishMany(source, 20)
  const { uuid } = await source.ledger.identity()
  const { update_seq } = await source.ledger.database.info()
  await target.put({ _id: '_local/move', source: uuid, seq: update_seq, count: 20 } as { _id: string })
  t.is((await copyLedger(source.ledger.database, target)).documents, 20)
  t.is((await ids(target)).length, 20)
})

test('a target that holds something else is named by the first ids that differ', async (t) => {
  const { source, target } = await twoStores(t)
  await publishMany(source, 3)
  const stranger = makeEdit(source.key)
  await target.bulkDocs([stranger], { newEdits: false })
  const error = await t.throwsAsync(copyLedger(source.ledger.database, target), { code: 'move_not_equal' })
  t.true(error?.message.includes(stranger._id))
})

test('a copy that is killed again and again is whole in the end', async (t) => {
  const folder = await testFolder(t)
  const run = async (killAt: number) => {
    const child = spawn(
      process.execPath,
      [
        '--disable-warning=ExperimentalWarning',
        join(import.meta.dirname, 'mover.ts'),
        folder,
        String(killAt),
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    )
    let out = ''
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()))
    await once(child, 'close')
    return { signal: child.signalCode, out: out.trim() }
  }
  // Each run has one page more behind it when it is killed; the last of them while it verifies.
  for (let killed = 0; killed < 5; killed += 1) t.is((await run(1)).signal, 'SIGKILL')
  const { signal, out } = await run(0)
  t.is(signal, null)
  t.like(JSON.parse(out), { documents: MANY, tombstones: 1, equal: true })
})
