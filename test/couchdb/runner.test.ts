import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import { connectCouch } from '../../src/couch/client.ts'
import type { LinkStatus } from '../../src/replication/status.ts'
import { couchSpace, testOnCouchdb } from '../helpers/couchdb.ts'
import type { CouchSpace } from '../helpers/couchdb.ts'
import { testFolder } from '../helpers/folder.ts'
import { publish } from '../helpers/forms.ts'
import { openLink } from '../helpers/link.ts'
import { hyperactive, join2, startNode, TestNode } from '../helpers/node.ts'
import { until } from '../helpers/wait.ts'

const SETTINGS =
  'replication: { runner: couchdb, heartbeatMs: 300, idleTimeoutMs: 3000, longestPauseMs: 1000 }\n'

/** A node whose links CouchDB runs; it notices silence soon. */
async function scheduledNode(t: ExecutionContext, place: CouchSpace): Promise<TestNode> {
  const folder = await testFolder(t)
  await mkdir(join(folder, 'data'), { recursive: true })
  await writeFile(join(folder, 'data', 'config.yaml'), SETTINGS)
  const node = new TestNode(folder, place.environment)
  t.teardown(async () => {
    await node.stop()
    await place.remove()
  })
  await node.start()
  return node
}

async function jobsOf(place: CouchSpace, node: TestNode): Promise<string[]> {
  await using couch = connectCouch(place.url)
  const { publicKey } = await node.key()
  const first = `hyperactive-${publicKey}-`
  const range = { startkey: first, endkey: `${first}\ufff0` }
  const { rows } = await couch.serverDatabase('_replicator').allDocs(range)
  return rows.map(({ key }) => key.slice(first.length))
}

async function linksOf(node: TestNode): Promise<LinkStatus[]> {
  const { out } = await node.run('peer', 'list', '--json')
  return (JSON.parse(out) as { peers: { links: LinkStatus[] }[] }).peers.flatMap(({ links }) => links)
}

testOnCouchdb('CouchDB’s scheduler runs the links, and its jobs follow the peers file', async (t) => {
  const place = couchSpace()
  const source = await startNode(t)
  const node = await scheduledNode(t, place)
  await join2(source, node)
  await publish(source, { title: 'By the scheduler' })
  await until('it has arrived', async () => (await node.html('/newswire')).includes('By the scheduler'))
  const name = /name: (\S+)/.exec(await readFile(node.peers, 'utf8'))?.[1] ?? ''
  t.deepEqual(await jobsOf(place, node), [`pull-${name}`])
  const [status] = await until('the job runs', async () => {
    const links = await linksOf(node)
    return links[0]?.state === 'running' && links
  })
  t.like(status, { peer: name, direction: 'pull', refused: 0 })
  t.true((status?.written ?? 0) >= 1)

  // A crash leaves the job behind; the next start makes it anew and goes on.
  await node.kill()
  await publish(source, { title: 'While it was away' })
  await node.start()
  await until('it goes on', async () => (await node.html('/newswire')).includes('While it was away'))
  t.deepEqual(await jobsOf(place, node), [`pull-${name}`])

  const { code } = await node.run('peer', 'remove', name)
  t.is(code, 0)
  await until('the job is gone', async () => (await jobsOf(place, node)).length === 0)
  t.deepEqual(await linksOf(node), [])
})

testOnCouchdb('a job that crashed or hangs is made anew as soon as the peer answers', async (t) => {
  const place = couchSpace()
  const source = await startNode(t)
  const node = await scheduledNode(t, place)
  const link = await openLink(t, source.address)
  await join2(source, node)
  const text = await readFile(node.peers, 'utf8')
  await node.writePeers(text.replace(source.address, link.address))
  const arrives = async (title: string) => {
    await publish(source, { title })
    await until(`"${title}" has arrived`, async () => (await node.html('/newswire')).includes(title), 60_000)
  }
  await arrives('At first')
  link.cut()
  await until('the cut is noticed', async () => (await linksOf(node))[0]?.lastError !== undefined)
  link.heal()
  await arrives('After the cut')
  link.blackHole()
  await until('the silence is noticed', async () => (await linksOf(node))[0]?.lastError !== undefined)
  link.heal()
  await arrives('After the hole')
  t.is((await node.ledgerIds()).filter((id) => id.includes(':edit:')).length, 3)
})

testOnCouchdb(
  'jobs of the scheduler’s time are taken away when the node runs its links itself',
  async (t) => {
    const place = couchSpace()
    const source = await startNode(t)
    const node = await scheduledNode(t, place)
    await join2(source, node)
    await until('the job is there', async () => (await jobsOf(place, node)).length === 1)
    await node.kill()
    await writeFile(join(node.data, 'config.yaml'), '')
    await node.start()
    await until('the job is gone', async () => (await jobsOf(place, node)).length === 0)
    await publish(source, { title: 'By the node' })
    await until('it has arrived', async () => (await node.html('/newswire')).includes('By the node'))
    t.true((await linksOf(node)).every(({ state }) => state === 'idle' || state === 'active'))
  },
)

testOnCouchdb('the scheduler cannot be asked for without a CouchDB', async (t) => {
  const folder = await testFolder(t)
  await mkdir(join(folder, 'data'), { recursive: true })
  await writeFile(join(folder, 'data', 'config.yaml'), 'replication: { runner: couchdb }\n')
  const { code, err } = await hyperactive(['start', '--data', join(folder, 'data'), '--port', '0'])
  t.is(code, 2)
  t.regex(err, /runner: couchdb needs a CouchDB; set COUCHDB_URL/)
})
