import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import test from 'ava'
import type { ExecutionContext } from 'ava'
import type { Refusals } from '../../src/gateway/refusals.ts'
import type { LinkStatus } from '../../src/replication/status.ts'
import { publish } from '../helpers/forms.ts'
import { makeEdit, newKey } from '../helpers/keys.ts'
import { join2, startNode } from '../helpers/node.ts'
import type { TestNode } from '../helpers/node.ts'
import { until } from '../helpers/wait.ts'

/** How a peer that pretends to be a gateway answers one kind of request; undefined answers as a good one would. */
type Behaviour = (path: string, request: IncomingMessage, response: ServerResponse) => unknown

const KEY = newKey()
const DOCUMENTS = Array.from({ length: 30 }, () => makeEdit(KEY))
const MEGABYTE = 'x'.repeat(1024 * 1024)

/** Ends nothing: writes as fast as it is read, until the reader goes. */
function endless(response: ServerResponse, begin: string, chunk: string): true {
  response.writeHead(200, { 'content-type': 'application/json' })
  response.write(begin)
  const more = () => {
    while (!response.destroyed && response.write(chunk));
    if (!response.destroyed) response.once('drain', more)
  }
  more()
  return true
}

const rows = (documents: readonly { _id: string; _rev: string }[], extra: object = {}) => ({
  results: documents.map(({ _id: id, _rev: rev }, index) => ({
    seq: index + 1,
    id,
    changes: [{ rev }],
    ...extra,
  })),
  last_seq: documents.length,
  pending: 0,
})

const bulkGet = (change: (document: Record<string, unknown>) => unknown) => ({
  results: DOCUMENTS.map((document) => ({ id: document._id, docs: [{ ok: change({ ...document }) }] })),
})

const BEHAVIOURS: Record<string, Behaviour> = {
  garbage: (path, _, response) => path === '/_changes' && response.end('<h1>It works!</h1>'),
  'never-ending': (path, _, response) => path === '/_changes' && endless(response, '{"results":[', MEGABYTE),
  'never-ending-rows': (path, _, response) =>
    path === '/_changes' &&
    endless(response, '{"results":[', `{"seq":1,"id":"a","changes":[{"rev":"1-a"}]},`.repeat(1000)),
  'never-ending-documents': (path, _, response) =>
    path === '/_bulk_get' && endless(response, '{"results":[', MEGABYTE),
  'never-ending-checkpoint': (path, _, response) =>
    path.startsWith('/_local/') && endless(response, '{"a":"', MEGABYTE),
  'other-body': (path) =>
    path === '/_bulk_get' && bulkGet((document) => ({ ...document, fields: { title: 'Other' } })),
  'wrong-revisions': (path) =>
    path === '/_bulk_get' && bulkGet((document) => ({ ...document, _rev: '3-abc' })),
  'long-history': (path) =>
    path === '/_bulk_get' &&
    bulkGet((document) => ({ ...document, _revisions: { start: 3, ids: ['c', 'b', 'a'] } })),
  'deleted-bodies': (path) =>
    path === '/_bulk_get' && bulkGet(({ _id, _rev }) => ({ _id, _rev, _deleted: true })),
  tombstones: (path) =>
    path === '/_changes'
      ? rows(DOCUMENTS, { deleted: true })
      : path === '/_bulk_get' && bulkGet(({ _id, _rev }) => ({ _id, _rev, _deleted: true })),
  'design-documents': (path) =>
    path === '/_changes'
      ? rows(DOCUMENTS.map((_, index) => ({ _id: `_design/${index}`, _rev: '1-a' })))
      : path === '/_bulk_get' && bulkGet((document) => ({ ...document, _id: '_design/0', views: {} })),
  'other-documents': (path) => path === '/_bulk_get' && bulkGet(() => ({ _id: 'hello', _rev: '1-a' })),
  'no-objects': (path) =>
    path === '/_bulk_get' && { results: [null, 1, 'x', { docs: null }, { docs: [null] }] },
  'null-results': (path) => path === '/_bulk_get' && { results: null },
  'null-answer': (path) => (path === '/_bulk_get' || path === '/_changes') && 'null',
  'null-rows': (path) => path === '/_changes' && { results: [null, 3, 'x'], last_seq: 3 },
  'rows-without-changes': (path) => path === '/_changes' && { results: [{ seq: 1, id: 'a' }], last_seq: 1 },
  'rows-of-odd-types': (path) =>
    path === '/_changes' && { results: [{ seq: {}, id: {}, changes: [{ rev: null }] }], last_seq: {} },
  'prototype-names': (path) =>
    path === '/_changes' &&
    rows(['__proto__', 'constructor', 'toString'].map((_id) => ({ _id, _rev: '1-a' }))),
  'the-same-again': (path) => path === '/_changes' && rows(DOCUMENTS),
  'at-once': (path) => path === '/_changes' && { results: [], last_seq: 1 },
  'no-last-seq': (path) => path === '/_changes' && { results: [] },
  'odd-checkpoint': (path) =>
    path.startsWith('/_local/') && { _id: 1, history: 'x', session_id: {}, last_seq: [] },
  'errors-everywhere': (path, _, response) => {
    if (path === '') return undefined
    response.writeHead(500)
    return response.end('{"error":{"deep":[]}}')
  },
  'redirect-elsewhere': (path, _, response) => {
    if (path !== '/_changes') return undefined
    response.writeHead(302, { location: 'http://127.0.0.1:9/' })
    return response.end()
  },
  'cut-off': (path, request, response) => {
    if (path !== '/_bulk_get') return undefined
    response.writeHead(200, { 'content-length': '100000' })
    response.write('{"results":[')
    request.socket.destroy()
    return true
  },
}

/** Those that say the same whatever was asked; the others give their changes once, and then let wait. */
const AGAIN = new Set(
  ['never-ending', 'design-documents', 'the-same-again', 'at-once'].map((name) => BEHAVIOURS[name]),
)

async function hostilePeer(t: ExecutionContext, behave: Behaviour): Promise<string> {
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? '', 'http://localhost').pathname.replace('/gateway', '')
    const local = path.replace(/^\/ledger\/?/, '/').replace(/^\/$/, '')
    const waits = local === '/_changes' && !/since=0(&|$)/.test(request.url ?? '')
    if (waits && !AGAIN.has(behave)) return
    const answered = path === '/' ? undefined : behave(local, request, response)
    if (response.writableEnded || answered === true) return
    response.setHeader('content-type', 'application/json')
    response.end(typeof answered === 'string' ? answered : JSON.stringify(answered || good(path, local)))
  })
  server.listen(0, '127.0.0.1')
  await until('the peer listens', () => server.listening)
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

function good(path: string, local: string): object {
  if (path === '/') return { couchdb: 'Welcome', uuid: KEY.publicKey, hyperactive: { node: KEY.publicKey } }
  if (local === '/_changes') return rows(DOCUMENTS)
  if (local === '/_bulk_get') return bulkGet((document) => document)
  if (local.startsWith('/_local/')) return { ok: true, rev: '0-1' }
  return { db_name: 'ledger', doc_count: 30, update_seq: 30, instance_start_time: '0' }
}

async function residentMegabytes(node: TestNode): Promise<number> {
  const status = await readFile(`/proc/${node.processId}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024
}

test('peers that misbehave get nothing in, stop no other link, and are named with the reason', async (t) => {
  const [node, honest] = await Promise.all([startNode(t), startNode(t)])
  await join2(honest, node)
  const joined = (await readFile(node.peers, 'utf8')).trimEnd()
  const blocks = await Promise.all(
    Object.entries(BEHAVIOURS).map(async ([name, behave]) => {
      const url = await hostilePeer(t, behave)
      const credentials = '{ username: node, password: a-long-enough-password }'
      return `  - name: ${name}\n    url: ${url}\n    credentials: ${credentials}\n    direction: pull\n`
    }),
  )
  const beforeMegabytes = await residentMegabytes(node)
  await node.writePeers(`${joined}\n${blocks.join('')}`)
  const status = async () => {
    const { out } = await node.run('status', '--json')
    return JSON.parse(out) as { links: LinkStatus[]; refusals: Refusals; ledgerDocuments: number }
  }
  // Each has been tried, and is waiting before the next try, or has nothing more to give.
  const tried = await until(
    'all have been tried',
    async () => {
      const { links } = await status()
      const own = links.filter(({ peer }) => peer in BEHAVIOURS)
      const done = own.filter(({ lastError, state }) => lastError !== undefined || state === 'idle')
      return done.length === Object.keys(BEHAVIOURS).length && own
    },
    90_000,
    500,
  )
  await publish(honest, { title: 'From an honest peer' })
  await until('the honest link goes on', async () =>
    (await node.html('/newswire')).includes('From an honest peer'),
  )
  const { refusals } = await status()
  for (const name of ['other-body', 'wrong-revisions', 'long-history', 'deleted-bodies', 'other-documents'])
    t.true((refusals.counts[name]?.forbidden ?? 0) > 0, name)
  for (const name of [
    'garbage',
    'never-ending',
    'never-ending-documents',
    'redirect-elsewhere',
    'tombstones',
    'design-documents',
    'the-same-again',
  ])
    t.truthy(tried.find(({ peer }) => peer === name)?.lastError, name)
  t.true(refusals.latest.every(({ reason }) => reason.length > 0))
  const ids = await node.ledgerIds()
  t.true(
    ids.every((id) => id.startsWith('network:') || id.includes(':edit:')),
    'nothing but ledger documents',
  )
  // Peers that gave a stranger's true documents beside their mischief may have brought those; they stay off the pages.
  const items = Object.keys(await node.siteDocuments()).filter((id) => !id.startsWith('held:'))
  t.is(items.length, 1)
  const growthMegabytes = (await residentMegabytes(node)) - beforeMegabytes
  t.log(`memory grew by ${Math.round(growthMegabytes)} MB`)
  t.true(growthMegabytes < 400, `${growthMegabytes} MB`)
  t.is((await node.page('/livez')).status, 200)
})
