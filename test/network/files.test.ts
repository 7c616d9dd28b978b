import { createHash, randomBytes } from 'node:crypto'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import test from 'ava'
import type { ExecutionContext } from 'ava'
import { PIECE_BYTES } from '../../src/media/blobs/blob.ts'
import type { BlobManifest } from '../../src/media/blobs/blob.ts'
import { FolderBlobs } from '../../src/media/blobs/folder.ts'
import { blobPath, nameFile } from '../helpers/files-of-items.ts'
import { testFolder } from '../helpers/folder.ts'
import { openLink } from '../helpers/link.ts'
import { join2, startNode, TestNode } from '../helpers/node.ts'
import { until } from '../helpers/wait.ts'

/** A node with a file in its store that nobody has named yet. */
async function withFile(
  t: ExecutionContext,
  bytes: Buffer,
): Promise<{ node: TestNode; manifest: BlobManifest }> {
  const node = new TestNode(await testFolder(t), { HYPERACTIVE_ABUSE_LIMITS: 'off' })
  t.teardown(() => node.remove())
  await mkdir(node.data, { recursive: true })
  await using blobs = await FolderBlobs.open(join(node.data, 'media'))
  const manifest = await blobs.write(Readable.from([bytes]))
  await node.start()
  return { node, manifest }
}

test('a node that is killed while it fetches goes on where it was, and has the file when its peer is killed', async (t) => {
  const bytes = randomBytes(10 * PIECE_BYTES)
  const { node: a, manifest } = await withFile(t, bytes)
  const { sha256 } = manifest
  const b = await startNode(t, { HYPERACTIVE_ABUSE_LIMITS: 'off' })
  await join2(a, b)
  const link = await openLink(t, a.address)
  link.slowness = { bytesPerSecond: 16_000_000 }
  await writeFile(b.peers, (await readFile(b.peers, 'utf8')).replaceAll(a.address, link.address))
  const item = await nameFile(a, { ...manifest, type: 'video/mp4', extension: 'mp4' })
  const pieces = async () => {
    const partial = join(b.data, 'media/partial')
    const [folder] = await readdir(partial)
    return folder === undefined ? 0 : (await readdir(join(partial, folder))).length
  }
  await until('half of it is there', async () => (await pieces()) > 5, 60_000)
  await b.kill()
  await b.start()
  await until('all of it is there', () => readFile(blobPath(b, sha256)), 60_000)
  t.true(link.carried.answered < bytes.length + PIECE_BYTES + 1_000_000, String(link.carried.answered))
  await a.kill()
  const file = await b.page(`/files/${sha256}.mp4`)
  t.is(file.status, 200)
  const found = createHash('sha256').update(Buffer.from(await file.arrayBuffer()))
  t.is(found.digest('hex'), sha256)
  t.true((await b.html('/newswire')).includes(item))
})

test('status says how many files are here, and that too few have them', async (t) => {
  const { node, manifest } = await withFile(t, randomBytes(1000))
  await nameFile(node, { ...manifest, type: 'video/mp4', extension: 'mp4' })
  const { out } = await until('it is known', async () => {
    const ran = await node.run('status')
    return ran.out.includes('1 of 1 are here') && ran
  })
  t.true(out.includes('too few copies: 1 are not on 2 nodes'))
})
