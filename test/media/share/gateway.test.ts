import { createHash, randomBytes } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import test from 'ava'
import type { ExecutionContext } from 'ava'
import { fetch } from 'undici'
import type { Draft } from '../../../src/ledger/document.ts'
import { HybridClock } from '../../../src/ledger/clock.ts'
import type { SigningKey } from '../../../src/ledger/keys.ts'
import { makeSign, makeStatement } from '../../../src/media/share/statement.ts'
import { publishWithFiles } from '../../helpers/files-of-items.ts'
import { newKey } from '../../helpers/keys.ts'
import { NodeHere } from '../../helpers/node-here.ts'
import { testFolder } from '../../helpers/folder.ts'
import { until } from '../../helpers/wait.ts'

const PDF = { type: 'application/pdf', extension: 'pdf' } as const
const PASSWORD = randomBytes(16).toString('hex')

/** A node and a server that stands in for its peer: it does whatever the test wants. */
async function withPeer(
  t: ExecutionContext,
  answer: (request: IncomingMessage, response: ServerResponse, key: SigningKey) => void,
  { isMember = true } = {},
) {
  const key = newKey()
  const server = createServer((request, response) => answer(request, response, key))
  server.listen(0, '127.0.0.1')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  await until('the server listens', () => server.listening)
  const { port } = server.address() as AddressInfo
  const node = new NodeHere(await testFolder(t), { HYPERACTIVE_ABUSE_LIMITS: 'off' })
  t.teardown(() => node.remove())
  const peer = {
    name: 'peer',
    url: `http://127.0.0.1:${port}`,
    ...(isMember ? { key: key.publicKey } : {}),
    credentials: { username: 'node', password: PASSWORD },
    accepts: { username: 'peer', password: PASSWORD },
  }
  await node.writePeers(JSON.stringify({ peers: [peer] }))
  await mkdir(node.data, { recursive: true })
  await node.writeConfig(
    '{ "replication": { "idleTimeoutMs": 1000, "longestPauseMs": 200, "lookPauseMs": 200 } }',
  )
  await node.start()
  const ask = (path: string, init: object = {}, name = 'peer', password = PASSWORD) =>
    fetch(`${node.address}/gateway/files${path}`, {
      ...init,
      headers: {
        authorization: `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`,
        'content-type': 'application/json',
      },
    })
  return { node, key, ask }
}

const UNAVAILABLE = (_: IncomingMessage, response: ServerResponse) => void response.writeHead(503).end()

/** What such a peer says when it is called: that it holds these files. */
function says(key: SigningKey, added: readonly string[]) {
  const at = new HybridClock().now()
  const epoch = Date.now() - 1000
  const statement = makeStatement(
    { epoch, number: 0, parts: 1, added: [...added], gone: [], keepsAll: true, at },
    key,
  )
  const sign = makeSign({ epoch, number: 0, keepsAll: true, at }, key)
  return { node: key.publicKey, run: 'x', places: [], statements: [statement], signs: [sign], asks: [] }
}

/** Has an item name a file that is not here. */
async function nameFile(node: NodeHere, bytes: Buffer): Promise<string> {
  const { files } = await publishWithFiles(node, [{ ...PDF, bytes }])
  const { sha256 = '' } = files[0] ?? {}
  await until('it is known', () => node.here.media.network.holders(sha256).length > 0)
  await node.here.media.blobs.delete(sha256)
  return sha256
}

test('only peers get anything: others get 401, and strangers among them what readers get', async (t) => {
  const { node, ask } = await withPeer(t, UNAVAILABLE, { isMember: false })
  const bytes = randomBytes(1000)
  const { item, files } = await publishWithFiles(node, [{ ...PDF, bytes }])
  const { sha256 = '' } = files[0] ?? {}
  for (const [path, init] of [
    [`/${sha256}/0`, {}],
    ['/exchange', { method: 'POST', body: '{"places":[]}' }],
    ['/confirm', { method: 'POST', body: '{}' }],
    ['/asks/1', { method: 'PUT', body: 'x' }],
  ] as const) {
    t.is((await ask(path, init, 'peer', 'a-password-that-is-wrong')).status, 401, path)
    t.is((await fetch(`${node.address}/gateway/files${path}`, init)).status, 401, path)
  }
  const piece = await ask(`/${sha256}/0`)
  t.is(piece.status, 200)
  t.true(Buffer.from(await piece.arrayBuffer()).equals(bytes))
  const exchange = await ask('/exchange', { method: 'POST', body: '{"places":[]}' })
  t.deepEqual(((await exchange.json()) as { statements: unknown[] }).statements, [])
  const question = JSON.stringify({ files: [sha256], id: 'x', via: [] })
  t.is((await ask('/confirm', { method: 'POST', body: question })).status, 403)
  const hide: Draft = { type: 'decision', item, target: item, action: 'hide', reason: 'x', supersedes: [] }
  const [decision] = await node.here.store.ledger.append([{ draft: hide }])
  await node.here.projector.settled(decision?._id ?? '')
  t.is((await ask(`/${sha256}/0`)).status, 404, 'what readers do not get is not for strangers')
})

test('a member gets pieces, the rest of them, statements, and proof of what is held', async (t) => {
  const { node, ask } = await withPeer(t, UNAVAILABLE)
  const bytes = randomBytes(1000)
  const { files } = await publishWithFiles(node, [{ ...PDF, bytes }])
  const { sha256 = '' } = files[0] ?? {}
  const range = await fetch(`${node.address}/gateway/files/${sha256}/0`, {
    headers: {
      authorization: `Basic ${Buffer.from(`peer:${PASSWORD}`).toString('base64')}`,
      range: 'bytes=400-',
    },
  })
  t.is(range.status, 206)
  t.true(Buffer.from(await range.arrayBuffer()).equals(bytes.subarray(400)))
  for (const path of [`/${sha256}/1`, `/${'0'.repeat(64)}/0`]) t.is((await ask(path)).status, 404, path)
  for (const path of ['/x/0', `/${sha256}/x`, `/${sha256}/-1`, `/${sha256}/5000`])
    t.is((await ask(path)).status, 400, path)
  await until('it is said that it is here', async () => {
    const answer = await ask('/exchange', { method: 'POST', body: '{"places":[]}' })
    return JSON.stringify(await answer.json()).includes(sha256)
  })
  const question = (id: string) => JSON.stringify({ files: ['0'.repeat(64), sha256], id, via: [] })
  const confirmed = await ask('/confirm', { method: 'POST', body: question('one') })
  const { answers } = (await confirmed.json()) as { answers: { holds: number[]; proofs: string[] }[] }
  t.deepEqual(answers[0]?.holds, [1])
  const expected = createHash('sha256').update(`one ${sha256}`).update(bytes).digest('hex')
  t.deepEqual(answers[0]?.proofs, [expected])
  const again = await ask('/confirm', { method: 'POST', body: question('one') })
  t.deepEqual(await again.json(), { answers: [] }, 'a question is answered once')
})

test('what a peer may not say is refused, and nothing comes of it', async (t) => {
  const { node, key, ask } = await withPeer(t, UNAVAILABLE)
  const post = (body: object) =>
    ask('/exchange', { method: 'POST', body: JSON.stringify({ places: [], ...body }) })
  const { statements } = says(newKey(), ['ab'.repeat(32)])
  const forged = { ...statements[0], node: key.publicKey }
  t.is((await post({ statements: [forged] })).status, 400)
  t.is((await post({ places: 'x' })).status, 400)
  t.is((await post({ statements: Array.from({ length: 3000 }, () => 1) })).status, 400)
  t.is(
    (
      await ask('/exchange', { method: 'POST', body: `{"x":"${'a'.repeat(5_000_000)}"}` }).catch(() => ({
        status: 413,
      }))
    ).status,
    413,
  )
  t.is((await ask('/asks/1', { method: 'PUT', body: 'x' })).status, 409)
  t.deepEqual(node.here.media.network.holders('ab'.repeat(32)), [])
})

for (const [what, give, problem] of [
  [
    'other bytes',
    (response: ServerResponse, bytes: Buffer) => response.end(randomBytes(bytes.length)),
    /digest/,
  ],
  [
    'more than was asked for',
    (response: ServerResponse, bytes: Buffer) => response.end(Buffer.concat([bytes, bytes])),
    /more than/,
  ],
] as const) {
  test(`a peer that sends ${what} is reported and left alone`, async (t) => {
    const bytes = randomBytes(5000)
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    let asked = 0
    const { node } = await withPeer(t, (request, response, key) => {
      if (request.url?.endsWith('/exchange') === true) response.end(JSON.stringify(says(key, [sha256])))
      else if (request.url?.includes(sha256) === true) {
        asked += 1
        give(response, bytes)
      } else response.writeHead(503).end()
    })
    await nameFile(node, bytes)
    await t.throwsAsync(
      Promise.race([
        node.here.media.network.fetch(sha256),
        until('it is reported', () =>
          problem.test(node.here.media.network.state.peers[0]?.problem ?? ''),
        ).then(() => {
          throw new Error('reported')
        }),
      ]),
      { message: 'reported' },
    )
    t.is(asked, 1)
    t.is(await node.here.media.blobs.stat(sha256), undefined)
    const { latest } = node.here.replication.refusals.summary()
    t.true(latest.some(({ caller, id }) => caller === 'peer' && id === `file:${sha256}`))
  })
}

test('a peer that hangs, or does not have what it said, does not keep a file from coming from it later', async (t) => {
  const bytes = randomBytes(5000)
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  let asked = 0
  const { node } = await withPeer(t, (request, response, key) => {
    if (request.url?.endsWith('/exchange') === true) response.end(JSON.stringify(says(key, [sha256])))
    else if (request.url?.includes(sha256) === true) {
      asked += 1
      if (asked === 1) response.writeHead(404).end()
      else if (asked === 2) response.write(bytes.subarray(0, 100))
      else {
        const from = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0)
        response.writeHead(from > 0 ? 206 : 200).end(bytes.subarray(from))
      }
    } else response.writeHead(503).end()
  })
  await nameFile(node, bytes)
  await node.here.media.network.fetch(sha256)
  t.true(asked >= 3)
  t.truthy(await node.here.media.blobs.stat(sha256))
})
