import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import type { ExecutionContext } from 'ava'
import type { S3Store } from '../../../src/config/media.ts'
import { connectCouch } from '../../../src/couch/client.ts'
import { PIECE_BYTES } from '../../../src/media/blobs/blob.ts'
import type { BlobManifest } from '../../../src/media/blobs/blob.ts'
import { CouchObjects } from '../../../src/media/blobs/couch-objects.ts'
import type { BlobDriver, ByteRange } from '../../../src/media/blobs/driver.ts'
import { FolderBlobs } from '../../../src/media/blobs/folder.ts'
import { ObjectBlobs } from '../../../src/media/blobs/object-blobs.ts'
import type { Objects } from '../../../src/media/blobs/objects.ts'
import { S3Objects } from '../../../src/media/blobs/s3-objects.ts'
import { COUCHDB_URLS, couchSpace } from '../../helpers/couchdb.ts'
import { testFolder } from '../../helpers/folder.ts'
import { startS3Server } from '../../mirrors/s3-server.ts'
import type { S3Server } from '../../mirrors/s3-server.ts'

/** A place for blobs, gone with the test. */
export interface Place {
  driver: BlobDriver
  /** Another driver of the same place, as after a restart. */
  again: () => Promise<BlobDriver>
  /** Does what disks do: changes a byte of a piece. */
  damage: (manifest: BlobManifest, index: number) => Promise<void>
  /** Whether a reader may get half of an object that is being written. */
  isTorn?: boolean
}

/** All kinds of places that this machine has. */
export const PLACES: Record<string, (t: ExecutionContext) => Promise<Place>> = {
  'in a folder': folderPlace,
  'on S3': async (t) => {
    const server = await startS3Server(t)
    // This server writes over files in their place, which S3 does not.
    return { ...(await objectsPlace(t, () => Promise.resolve(bucketOf(server)))), isTorn: true }
  },
  ...(COUCHDB_URLS.length === 0 ? {} : { 'in CouchDB': couchPlace }),
}

export function storeOf({ mirror }: Pick<S3Server, 'mirror'>): S3Store {
  const { name: _, acl: __, ...store } = mirror
  return store
}

export function bucketOf(server: Pick<S3Server, 'mirror' | 'secrets'>): S3Objects {
  return new S3Objects(storeOf(server), server.secrets.bucket ?? {})
}

async function folderPlace(t: ExecutionContext): Promise<Place> {
  const folder = join(await testFolder(t), 'media')
  const again = async () => {
    const driver = await FolderBlobs.open(folder)
    t.teardown(() => driver[Symbol.asyncDispose]())
    return driver
  }
  const damage = async ({ sha256 }: BlobManifest, index: number) => {
    const file = await open(join(folder, 'whole', sha256.slice(0, 2), sha256.slice(2, 4), sha256), 'r+')
    await file.write('!', index * PIECE_BYTES + 7)
    await file.close()
  }
  return { driver: await again(), again, damage }
}

async function couchPlace(t: ExecutionContext): Promise<Place> {
  const space = couchSpace()
  t.teardown(() => space.remove())
  const couch = connectCouch(space.url, { prefix: space.prefix })
  t.teardown(() => couch[Symbol.asyncDispose]())
  return objectsPlace(t, () => CouchObjects.open(couch))
}

async function objectsPlace(t: ExecutionContext, connect: () => Promise<Objects>): Promise<Place> {
  const spool = join(await testFolder(t), 'spool')
  const again = async () => {
    const driver = new ObjectBlobs(await connect(), spool)
    t.teardown(() => driver[Symbol.asyncDispose]())
    return driver
  }
  const damage = async ({ sha256, pieces }: BlobManifest, index: number) => {
    await using objects = await connect()
    const key = `${sha256}/${String(index).padStart(5, '0')}-${pieces[index]}`
    const bytes = Buffer.from((await objects.get(key)) ?? [])
    bytes.write('!', 7)
    await objects.put(key, bytes)
  }
  return { driver: await again(), again, damage }
}

export async function readAll(driver: BlobDriver, sha256: string, range?: ByteRange): Promise<Buffer> {
  const { stream } = await driver.read(sha256, range)
  return buffer(stream)
}
