import { randomBytes } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { Readable } from 'node:stream'
import test from 'ava'
import sharp from 'sharp'
import type { ExecutionContext } from 'ava'
import { request } from 'undici'
import { orderErasure } from '../../src/erasure/order.ts'
import { makeItemId } from '../../src/ledger/item-id.ts'
import { FileBook } from '../../src/media/keep/book.ts'
import { couchSpace, testOnCouchdb } from '../helpers/couchdb.ts'
import { filesWith } from '../helpers/disk.ts'
import { testFolder } from '../helpers/folder.ts'
import { keepFile, publishWithFiles } from '../helpers/files-of-items.ts'
import type { GivenFile } from '../helpers/files-of-items.ts'
import { newKey } from '../helpers/keys.ts'
import { join2, TestNode } from '../helpers/node.ts'
import { NodeHere, startNodeHere } from '../helpers/node-here.ts'
import { until } from '../helpers/wait.ts'
import { bucketOf, storeOf } from '../media/blobs/places.ts'
import { startS3Server } from '../mirrors/s3-server.ts'

/** Where the files of the CouchDB under test are, if this machine has them. */
const COUCHDB_DATA = process.env.HYPERACTIVE_TEST_COUCHDB_DATA
/** All files of the databases are rewritten, on two cores that others use as well. */
const BOUND_MS = 120_000

function picture(bytes = 200_000): GivenFile {
  return { type: 'image/jpeg', extension: 'jpg', bytes: randomBytes(bytes), width: 10, height: 10 }
}

/** A picture that can be made smaller. */
async function photo(width: number): Promise<GivenFile> {
  const height = Math.round(width / 2)
  const noise = { type: 'gaussian', mean: 128, sigma: 40 } as const
  const bytes = await sharp({ create: { width, height, channels: 3, background: 'black', noise } })
    .jpeg({ quality: 90 })
    .toBuffer()
  return { type: 'image/jpeg', extension: 'jpg', bytes, width, height }
}

/** Some of its bytes, which stand nowhere else. */
function partOf({ bytes }: GivenFile): Buffer {
  return bytes.subarray(bytes.length / 2, bytes.length / 2 + 64)
}

function statusOf(node: TestNode, sha256: string): Promise<number> {
  return node.page(`/files/${sha256}.jpg`).then(({ status }) => status)
}

async function order(node: NodeHere, item: string): Promise<void> {
  const { store, site } = node.here
  await orderErasure({ ledger: store.ledger, site: site.database }, { item }, { category: 'danger' })
}

function executed(node: TestNode, item: string, count = 1) {
  return until(
    'the node says that it has erased it',
    async () => {
      const documents = await node.withCouch(async (couch) => {
        const range = { startkey: `${item}:`, endkey: `${item}:\ufff0`, include_docs: true }
        return (await couch.database('ledger').allDocs(range)).rows.map(({ doc }) => doc)
      })
      const done = documents.filter((document) => document?.did === 'executed')
      return done.length >= count && documents.every((document) => document?.type === 'erasure')
    },
    BOUND_MS,
  )
}

async function isNowhere(t: ExecutionContext, node: TestNode, ...files: GivenFile[]): Promise<void> {
  t.deepEqual(await filesWith(node.data, ...files.map(partOf)), [])
}

test.serial(
  'with an item its files go, also what was made of them, and those stay that another has',
  async (t) => {
    const node = await startNodeHere(t, '')
    const [own, shared, small] = [picture(), picture(), picture(5000)]
    const first = await publishWithFiles(node, [own, shared])
    const second = await publishWithFiles(node, [shared])
    const [sha256 = '', sharedName = ''] = first.files.map((file) => file.sha256)
    const made = { ...(await keepFile(node, small)), as: 'w320' }
    const { ledger } = node.here.store
    const [document] = await ledger.append([
      { draft: { type: 'media', item: first.item, of: sha256, files: [made] } },
    ])
    await node.here.projector.settled(document?._id ?? '')
    for (const name of [sha256, sharedName, made.sha256]) t.is(await statusOf(node, name), 200)
    t.true((await filesWith(node.data, partOf(own))).length > 0)

    await order(node, first.item)
    await executed(node, first.item)
    await isNowhere(t, node, own, small)
    for (const name of [sha256, made.sha256]) t.is(await statusOf(node, name), 404)
    const answer = await node.page(`/files/${sharedName}.jpg`)
    t.true(Buffer.from(await answer.arrayBuffer()).equals(shared.bytes))

    // The last item that has it takes it along.
    await order(node, second.item)
    await executed(node, second.item)
    await isNowhere(t, node, shared)
    t.deepEqual((await node.here.media.blobs.list()).blobs, [])
  },
)

test.serial('what a node has made of a picture goes with it, also what it is just making', async (t) => {
  const node = await startNodeHere(t, '')
  const { blobs, derivations } = node.here.media
  const first = await publishWithFiles(node, [await photo(1200)])
  await until('smaller ones are made', async () => {
    const row = (await node.here.site.anyItem(first.item))?.media ?? {}
    return Object.values(row).some(({ of }) => of === first.files[0]?.sha256)
  })
  t.true((await blobs.list()).blobs.length > 3)
  await order(node, first.item)
  await executed(node, first.item)
  t.deepEqual((await blobs.list()).blobs, [])

  const second = await publishWithFiles(node, [await photo(3000)])
  await until('it is worked on', () => derivations?.counts().working === 1)
  await order(node, second.item)
  await executed(node, second.item)
  await until('nothing is left of it', async () => (await blobs.list()).blobs.length === 0)
  t.deepEqual(derivations?.counts(), { working: 0, waiting: 0, failed: 0, done: 0 })
  await node.here.media.keeper.look()
  t.like(node.here.media.keeper.book.usage(), { here: { files: 0 }, orphans: { files: 0 } })
})

test.serial('pieces on the way to a file go as well, and what has it in hand is told before', async (t) => {
  const node = await startNodeHere(t, '')
  const whole = picture()
  const { item, files } = await publishWithFiles(node, [whole])
  const { sha256 = '' } = files[0] ?? {}
  const { blobs, hands } = node.here.media
  // As on a node to which the file comes from elsewhere.
  const manifest = await blobs.stat(sha256)
  await blobs.delete(sha256)
  const half = randomBytes(5 * 1024 * 1024)
  const { pieces } = await blobs.write(Readable.from([half]))
  const larger = { ...manifest, sha256: 'a'.repeat(64), bytes: half.length, pieces }
  await blobs.writePiece(larger, 0, half.subarray(0, 4 * 1024 * 1024))
  const { ledger } = node.here.store
  const partial = { ...larger, type: 'image/jpeg', extension: 'jpg' }
  await ledger.append([{ draft: { type: 'media', item, files: [partial] } }])
  for (const { sha256: other } of (await blobs.list()).blobs)
    if (other !== larger.sha256) await blobs.delete(other)
  t.is((await blobs.list()).blobs.length, 1)
  const told: string[] = []
  hands.add({
    leaveItem: async (left) => void told.push(left),
    letGo: async (name) => void told.push(name),
  })
  await order(node, item)
  await executed(node, item)
  t.deepEqual((await blobs.list()).blobs, [])
  t.is(told[0], item)
  t.deepEqual(told.filter((one) => one !== item).sort(), [sha256, larger.sha256].sort())
  t.deepEqual(await filesWith(node.data, half.subarray(1000, 1064)), [])
})

test.serial('from a bucket every object of the file goes', async (t) => {
  const server = await startS3Server(t)
  const { accessKeyId, secretAccessKey } = server.secrets.bucket ?? {}
  const store = { ...storeOf(server), accessKeyId, secretAccessKey }
  const node = await startNodeHere(t, JSON.stringify({ media: { store } }))
  const [file, other] = [picture(5_000_000), picture()]
  const { item } = await publishWithFiles(node, [file])
  await publishWithFiles(node, [other])
  const objects = bucketOf(server)
  const left = async () => {
    const found: number[] = []
    for await (const { bytes } of objects.list({})) found.push(bytes)
    return found
  }
  t.is((await left()).length, 5)
  await order(node, item)
  await executed(node, item)
  t.is((await left()).length, 2)
  await isNowhere(t, node, file)
})

testOnCouchdb('from a CouchDB the file goes, and its bytes from the files of the database', async (t) => {
  const space = couchSpace()
  t.teardown(() => space.remove())
  const node = new NodeHere(await testFolder(t), { ...space.environment, HYPERACTIVE_ABUSE_LIMITS: 'off' })
  t.teardown(() => node.remove())
  await mkdir(node.data, { recursive: true })
  await node.writeConfig('media: { store: { kind: couchdb } }')
  await node.start()
  const [file, other] = [picture(5_000_000), picture()]
  const { item } = await publishWithFiles(node, [file])
  await publishWithFiles(node, [other])
  const holding = async (one: GivenFile) =>
    COUCHDB_DATA === undefined ? [] : filesWith(COUCHDB_DATA, partOf(one))
  if (COUCHDB_DATA === undefined)
    t.log('HYPERACTIVE_TEST_COUCHDB_DATA names no folder: the files of the CouchDB were not looked at')
  else t.not((await holding(file)).length, 0)
  await order(node, item)
  await executed(node, item)
  t.is((await node.here.media.blobs.list()).blobs.length, 1)
  t.deepEqual(await holding(file), [])
  await isNowhere(t, node, file)
})

test.serial('every node that carries an order out deletes the files', async (t) => {
  const [a, b] = [await startNodeHere(t, ''), await startNodeHere(t, 'moderation: { erasures: execute }')]
  const other = await startNodeHere(t, '')
  await join2(a, b)
  await join2(a, other)
  const file = picture()
  const { item, files } = await publishWithFiles(a, [file])
  const { sha256 = '' } = files[0] ?? {}
  for (const node of [b, other]) {
    await until('it is there', async () => (await node.here.media.blobs.stat(sha256)) !== undefined)
    await until('it is served there', async () => (await statusOf(node, sha256)) === 200)
  }
  await order(a, item)
  await executed(a, item)
  await executed(b, item, 2)
  await isNowhere(t, a, file)
  await isNowhere(t, b, file)
  // Whoever is asked first keeps it until then, and shows it to nobody.
  await until('it is closed', async () => (await statusOf(other, sha256)) === 404)
  t.not(await other.here.media.blobs.stat(sha256), undefined)
})

test.serial('a file that comes late for what was erased goes too', async (t) => {
  const node = await startNodeHere(t, '')
  const { item } = await publishWithFiles(node, [picture()])
  await order(node, item)
  await executed(node, item)
  const late = picture()
  const { ledger } = node.here.store
  const kept = await keepFile(node, late)
  // What comes late is gathered for a minute; a start does not wait.
  await ledger.append([{ draft: { type: 'media', item, files: [kept] } }])
  await node.stop()
  await node.start()
  await executed(node, item)
  await until('it is gone', async () => (await node.here.media.blobs.stat(kept.sha256)) === undefined)
  await isNowhere(t, node, late)
})

test.serial('a node that is killed while it erases deletes the files after its next start', async (t) => {
  const folder = await testFolder(t)
  const here = new NodeHere(folder, { HYPERACTIVE_ABUSE_LIMITS: 'off' })
  await here.start()
  const file = picture(2_000_000)
  const { item } = await publishWithFiles(here, [file])
  await here.stop()
  const node = new TestNode(folder)
  t.teardown(() => node.remove())
  const ordered = await node.run('erase', item, '--category', 'illegal')
  t.is(ordered.code, 0, ordered.err)
  await node.start()
  // From the moment when it has begun to delete documents it knows by its own notes alone which files these were.
  await until('its documents go', async () =>
    (await node.ledgerIds()).every((id) => !id.startsWith(`${item}:edit:`)),
  )
  await node.kill()
  await node.start()
  await executed(node, item)
  await isNowhere(t, node, file)
})

test.serial(
  'what was noted before a node was killed is deleted at its start, if nothing names it',
  async (t) => {
    const node = await startNodeHere(t, '')
    const [unnamed, named] = [picture(), picture()]
    const { sha256 } = await keepFile(node, unnamed)
    const { files } = await publishWithFiles(node, [named])
    await node.stop()
    {
      using book = FileBook.open(node.data)
      book.leave([sha256, files[0]?.sha256 ?? ''])
    }
    await node.start()
    await until('it is gone', async () => (await node.here.media.blobs.stat(sha256)) === undefined)
    await until('nothing is left to do', () => node.here.media.keeper.book.leaving(1).length === 0)
    t.is(await statusOf(node, files[0]?.sha256 ?? ''), 200)
  },
)

test.serial('who reads a file while it is erased gets the rest of it, or an error', async (t) => {
  const node = await startNodeHere(t, '')
  const film = { ...picture(60_000_000), type: 'video/mp4', extension: 'mp4' }
  const { item, files } = await publishWithFiles(node, [film])
  const { body } = await request(`${node.address}/files/${files[0]?.sha256 ?? ''}.mp4`)
  const parts: Buffer[] = []
  const reading = body[Symbol.asyncIterator]()
  parts.push((await reading.next()).value as Buffer)
  await order(node, item)
  await executed(node, item)
  t.is((await node.page(`/files/${files[0]?.sha256 ?? ''}.mp4`)).status, 404)
  let isWhole = false
  try {
    for (;;) {
      const { value, done } = await reading.next()
      if (done === true) break
      parts.push(value as Buffer)
    }
    isWhole = true
  } catch (error) {
    t.log('it was cut off', (error as Error).message)
  }
  const got = Buffer.concat(parts)
  t.true(film.bytes.subarray(0, got.length).equals(got))
  if (isWhole) t.is(got.length, film.bytes.length)
})

test.serial('an order for an item of which only files are here deletes them', async (t) => {
  const node = await startNodeHere(t, '')
  const file = picture()
  const kept = await keepFile(node, file)
  const item = makeItemId(newKey().publicKey, Date.now())
  const { ledger } = node.here.store
  const [document] = await ledger.append([{ draft: { type: 'media', item, files: [kept] } }])
  await node.here.projector.settled(document?._id ?? '')
  await order(node, item)
  await executed(node, item)
  await isNowhere(t, node, file)
})
