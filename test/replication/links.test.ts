import { randomBytes } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { RequestListener } from 'node:http'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import test from 'ava'
import type { LinkStatus } from '../../src/replication/status.ts'
import { testOfOwnStore } from '../helpers/couchdb.ts'
import { testFolder } from '../helpers/folder.ts'
import { publish } from '../helpers/forms.ts'
import { openLink } from '../helpers/link.ts'
import { startNode, TestNode } from '../helpers/node.ts'
import { until } from '../helpers/wait.ts'

const PASSWORD = randomBytes(24).toString('hex')

/** A node whose links notice silence soon, so that a test need not wait long. */
async function impatientNode(t: ExecutionContext): Promise<TestNode> {
  const folder = await testFolder(t)
  await mkdir(join(folder, 'data'), { recursive: true })
  const settings = 'replication: { heartbeatMs: 300, idleTimeoutMs: 1500, longestPauseMs: 1000 }\n'
  await writeFile(join(folder, 'data', 'config.yaml'), settings)
  const node = new TestNode(folder)
  t.teardown(() => node.remove())
  await node.start()
  return node
}

async function accept(node: TestNode, name: string, password = PASSWORD): Promise<void> {
  const { publicKey } = await node.key()
  await node.writePeers(
    `peers:\n  - name: ${name}\n    accepts: { username: ${name}, password: ${password} }\n`,
  )
  await until('the peer is let in', async () => {
    const headers = { authorization: `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}` }
    return (await node.page('/gateway/', { headers })).status === 200 && publicKey !== ''
  })
}

function block(
  name: string,
  url: string,
  { key = '', password = PASSWORD, direction = 'pull' } = {},
): string {
  const credentials = `credentials: { username: puller, password: ${password} }`
  return `  - name: ${name}\n    url: ${url}\n    ${credentials}\n    direction: ${direction}\n${key ? `    key: ${key}\n` : ''}`
}

async function linksOf(node: TestNode): Promise<LinkStatus[]> {
  const { out } = await node.run('peer', 'list', '--json')
  return (JSON.parse(out) as { peers: { links: LinkStatus[] }[] }).peers.flatMap(({ links }) => links)
}

test('a link comes back after a cut, a half-open connection and a restart of the peer', async (t) => {
  const source = await startNode(t)
  const puller = await impatientNode(t)
  await accept(source, 'puller')
  const link = await openLink(t, source.address)
  const { publicKey: key } = await source.key()
  await puller.writePeers(`peers:\n${block('source', link.address, { key })}`)
  const arrives = async (title: string) => {
    await publish(source, { title })
    await until(`"${title}" has arrived`, async () => (await puller.html('/newswire')).includes(title))
  }
  await arrives('At first')
  link.cut()
  await publish(source, { title: 'While it is cut' })
  link.heal()
  await arrives('After the cut')
  link.blackHole()
  await publish(source, { title: 'Into the hole' })
  await until('the silence is noticed', async () => {
    const [status] = await linksOf(puller)
    return status?.state === 'backing-off' || status?.lastError !== undefined
  })
  link.heal()
  await arrives('After the hole')
  await source.kill()
  await source.start()
  await arrives('After the restart')
  const html = await puller.html('/newswire')
  t.true(html.includes('While it is cut') && html.includes('Into the hole'))
  const [status] = await until('the link is idle again', async () => {
    const links = await linksOf(puller)
    return links[0]?.state === 'idle' && links
  })
  t.like(status, { peer: 'source', direction: 'pull', pending: 0, refused: 0 })
  t.true((status?.written ?? 0) >= 6)
})

test('a wrong password is told, and its correction in the file takes effect without touching another link', async (t) => {
  const [source, other] = await Promise.all([startNode(t), startNode(t)])
  const puller = await impatientNode(t)
  await Promise.all([accept(source, 'puller'), accept(other, 'puller')])
  const keys = { source: (await source.key()).publicKey, other: (await other.key()).publicKey }
  const otherBlock = block('other', other.address, { key: keys.other })
  const wrong = randomBytes(24).toString('hex')
  await puller.writePeers(
    `peers:\n${block('source', source.address, { key: keys.source, password: wrong })}${otherBlock}`,
  )
  const refused = await until('the link says why', async () =>
    (await linksOf(puller)).find(({ peer, lastError }) => peer === 'source' && lastError !== undefined),
  )
  t.regex(refused.lastError ?? '', /refuses this node's name or password; check `credentials`/)
  t.truthy(refused.nextRetry)
  const { code, out } = await puller.run('peer', 'test')
  t.is(code, 1)
  t.regex(out, /source {2}unauthorised/)
  t.regex(out, /other {2}ok/)
  await publish(other, { title: 'From the other' })
  await until('the other link works', async () => (await puller.html('/newswire')).includes('From the other'))

  // Something that is no peers file at all stays without effect and is reported.
  await puller.writePeers('peers:\n  - name: [broken\n')
  await until('the problem is logged with its line', () =>
    /the peers file is not valid.*peers\.yaml:\d+/.test(puller.output),
  )
  await publish(other, { title: 'Still going' })
  await until('the old file is in force', async () =>
    (await puller.html('/newswire')).includes('Still going'),
  )

  await puller.writePeers(`peers:\n${block('source', source.address, { key: keys.source })}${otherBlock}`)
  await publish(source, { title: 'At last' })
  await until('the corrected link works', async () => (await puller.html('/newswire')).includes('At last'))
  t.false(/a link stopped.*peer="other"/.test(puller.output), 'the other link was never touched')
})

testOfOwnStore(
  'a change of the peers file while the store is away takes effect when it is back',
  async (t) => {
    const source = await startNode(t)
    const puller = await impatientNode(t)
    await accept(source, 'puller')
    const { publicKey: key } = await source.key()
    const { storeProcess } = await puller.processes()
    process.kill(storeProcess, 'SIGKILL')
    await puller.writePeers(`peers:\n${block('source', source.address, { key })}`)
    await publish(source, { title: 'After the store was away' })
    await until('the link works', async () => (await puller.html('/newswire')).includes('After the store'))
    t.regex(puller.output, /the peers file cannot take effect yet; trying again/)
    t.notRegex(puller.output, /the peers file is not valid/)
  },
)

test('what is no gateway, is down, is this node itself or has a wrong clock or key is told apart', async (t) => {
  const node = await startNode(t)
  const serve = async (answer: RequestListener) => {
    const server = createServer(answer)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    t.teardown(() => server.close())
    const address = server.address()
    return `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`
  }
  const website = await serve((_, response) => response.end('<h1>Hello</h1>'))
  const welcome = JSON.stringify({ couchdb: 'Welcome', hyperactive: { node: 'x'.repeat(43) } })
  const tomorrow = await serve((_, response) => {
    response.setHeader('Date', new Date(Date.now() + 24 * 3_600_000).toUTCString())
    response.setHeader('Content-Type', 'application/json')
    response.end(welcome)
  })
  const stranger = await serve((_, response) => response.end(welcome))
  await accept(node, 'puller')
  const keep = `  - name: puller\n    accepts: { username: puller, password: ${PASSWORD} }\n`
  const { publicKey } = await node.key()
  const blocks = [
    block('website', website),
    block('tomorrow', tomorrow),
    block('nobody', 'http://127.0.0.1:1'),
    block('itself', node.address),
    block('stranger', stranger, { key: publicKey }),
  ]
  await node.writePeers(`peers:\n${keep}${blocks.join('')}`)
  const { out, code } = await node.run('peer', 'test', '--json')
  t.is(code, 1)
  const { peers } = JSON.parse(out) as { peers: { name: string; verdict: string; text: string }[] }
  const verdicts = Object.fromEntries(peers.map(({ name, verdict }) => [name, verdict]))
  t.deepEqual(verdicts, {
    website: 'not-a-gateway',
    tomorrow: 'clock',
    nobody: 'down',
    itself: 'itself',
    stranger: 'other-key',
  })
  t.true(peers.every(({ text }) => !text.includes('\n') && !text.includes(PASSWORD)))
  t.is((await node.page('/livez')).status, 200)
  const unknown = await node.run('peer', 'test', 'nowhere')
  t.is(unknown.code, 1)
  t.regex(unknown.err, /there is no peer "nowhere"/)
})
