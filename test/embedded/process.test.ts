import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import test from 'ava'
import type { ExecutionContext } from 'ava'
import { connectCouch } from '../../src/couch/client.ts'
import { startEmbeddedStore } from '../../src/couch/embedded/start.ts'
import type { EmbeddedStore } from '../../src/couch/embedded/start.ts'
import { testFolder } from '../helpers/folder.ts'
import { until } from '../helpers/wait.ts'

async function start(t: ExecutionContext, folder: string, port?: number): Promise<EmbeddedStore> {
  const store = await startEmbeddedStore(port === undefined ? { folder } : { folder, port })
  t.teardown(() => store[Symbol.asyncDispose]())
  return store
}

async function ledgerOf(t: ExecutionContext, { url, username, password }: EmbeddedStore) {
  const couch = connectCouch(url.replace('//', `//${username}:${password}@`))
  t.teardown(() => couch[Symbol.asyncDispose]())
  return couch.ensureDatabase('ledger')
}

function isRunning(processId: number): boolean {
  try {
    process.kill(processId, 0)
    return true
  } catch {
    return false
  }
}

test('the store serves on a loopback port and keeps its data over a restart', async (t) => {
  const folder = await testFolder(t)
  const first = await startEmbeddedStore({ folder })
  t.regex(first.url, /^http:\/\/127\.0\.0\.1:\d+$/)
  t.is((await fetch(`${first.url}/_up`)).status, 200)
  t.is((await fetch(`${first.url}/ledger`)).status, 401)
  await (await ledgerOf(t, first)).put({ _id: 'doc' })
  t.is((await readFile(join(folder, 'format'), 'utf8')).trim(), '1')
  await first[Symbol.asyncDispose]()
  t.false(isRunning(first.processId))

  const second = await start(t, folder)
  t.not(second.password, first.password)
  t.is((await (await ledgerOf(t, second)).get('doc'))?._id, 'doc')
})

test('a child that is killed comes back on the same port with its data', async (t) => {
  const store = await start(t, await testFolder(t))
  const ledger = await ledgerOf(t, store)
  await ledger.bulkDocs(Array.from({ length: 100 }, (_, n) => ({ _id: `doc${n}` })))
  const { url, processId } = store
  process.kill(processId, 'SIGKILL')
  await until('another child serves', async () => store.processId !== processId && (await ledger.info()))
  t.is(store.url, url)
  t.is((await ledger.info()).doc_count, 100)
  await ledger.put({ _id: 'after' })
  t.is((await ledger.get('after'))?._id, 'after')
})

test('a store that is disposed while it starts again stays stopped', async (t) => {
  const store = await startEmbeddedStore({ folder: await testFolder(t) })
  process.kill(store.processId, 'SIGKILL')
  await until('the child is gone', () => !isRunning(store.processId))
  await store[Symbol.asyncDispose]()
  t.false(isRunning(store.processId))
  await t.throwsAsync(fetch(`${store.url}/_up`))
})

test('aborting the signal stops the store', async (t) => {
  const stop = new AbortController()
  const store = await startEmbeddedStore({ folder: await testFolder(t), signal: stop.signal })
  t.teardown(() => store[Symbol.asyncDispose]())
  stop.abort()
  await until('the child is gone', () => !isRunning(store.processId))
  t.pass()
})

test('the child ignores signals, which its parent decides about', async (t) => {
  const store = await start(t, await testFolder(t))
  const { processId } = store
  process.kill(processId, 'SIGINT')
  process.kill(processId, 'SIGTERM')
  t.is((await fetch(`${store.url}/_up`)).status, 200)
  t.is(store.processId, processId)
})

test('a second store on the same folder is refused, also while there is no database yet', async (t) => {
  const folder = await testFolder(t)
  const store = await start(t, folder)
  await t.throwsAsync(startEmbeddedStore({ folder }), { code: 'store_locked', message: /another process/ })
  t.is((await fetch(`${store.url}/_up`)).status, 200)
})

test('a folder of another version, or one that holds something else, is refused and left alone', async (t) => {
  const folder = await testFolder(t)
  await writeFile(join(folder, 'format'), '2\n')
  await t.throwsAsync(startEmbeddedStore({ folder }), { code: 'store_wrong_version' })
  const other = join(folder, 'other')
  await mkdir(other)
  await writeFile(join(other, 'thesis.txt'), 'precious')
  await t.throwsAsync(startEmbeddedStore({ folder: other }), { code: 'store_unreadable' })
  t.is(await readFile(join(other, 'thesis.txt'), 'utf8'), 'precious')
  const file = join(folder, 'format')
  await t.throwsAsync(startEmbeddedStore({ folder: file }), { code: 'store_unreadable' })
})

test('a broken database is reported and not replaced', async (t) => {
  const folder = await testFolder(t)
  const store = await startEmbeddedStore({ folder })
  await (await ledgerOf(t, store)).put({ _id: 'doc' })
  await store[Symbol.asyncDispose]()
  const current = join(folder, 'databases', 'ledger', 'CURRENT')
  await writeFile(current, 'rubbish')
  await t.throwsAsync(startEmbeddedStore({ folder }), { code: 'store_unreadable' })
  t.is(await readFile(current, 'utf8'), 'rubbish')
})

test('a taken port is reported', async (t) => {
  const other = createServer()
  await new Promise<void>((resolve) => {
    other.listen(0, '127.0.0.1', resolve)
  })
  t.teardown(() => other.close())
  const address = other.address()
  const port = typeof address === 'object' && address ? address.port : 0
  const folder = await testFolder(t)
  await t.throwsAsync(startEmbeddedStore({ folder, port }), { code: 'store_port_taken' })
})

test('when the parent is killed the child leaves, and the folder can be opened at once', async (t) => {
  const folder = await testFolder(t)
  const parent = fork(join(import.meta.dirname, 'parent.ts'), [folder], {
    execArgv: ['--disable-warning=ExperimentalWarning'],
  })
  t.teardown(() => parent.kill('SIGKILL'))
  const { url, processId } = await messageOf(parent)
  t.is((await fetch(`${url}/_up`)).status, 200)
  parent.kill('SIGKILL')
  const store = await start(t, folder)
  await until('the first child is gone', () => !isRunning(processId))
  t.is((await (await ledgerOf(t, store)).get('doc'))?._id, 'doc')
})

test('an exception that escapes every handler costs at most its request', async (t) => {
  const store = await start(t, await testFolder(t))
  const ledger = await ledgerOf(t, store)
  const escape = `function (doc) {
    globalThis.constructor.constructor('return process')().nextTick(function () { throw new Error('escaped') })
    emit(doc._id)
  }`
  await ledger.bulkDocs([{ _id: '_design/x', views: { y: { map: escape } } }])
  await ledger.put({ _id: 'doc' })
  const { processId } = store
  t.is((await ledger.view('x', 'y', {})).rows.length, 1)
  await ledger.put({ _id: 'after' })
  t.is(store.processId, processId)
})

function messageOf(parent: ChildProcess): Promise<{ url: string; processId: number }> {
  return new Promise((resolve) => {
    parent.once('message', (message) => resolve(message as { url: string; processId: number }))
  })
}
