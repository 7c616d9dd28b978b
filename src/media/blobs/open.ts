import { join } from 'node:path'
import type { MediaStore, StoreSecrets } from '../../config/media.ts'
import type { Couch } from '../../couch/client.ts'
import { CouchObjects } from './couch-objects.ts'
import type { BlobDriver } from './driver.ts'
import { FolderBlobs } from './folder.ts'
import { ObjectBlobs } from './object-blobs.ts'
import { S3Objects } from './s3-objects.ts'

/**
 * Opens where a node keeps its files.
 *
 * @param options.data the node's data folder
 * @param options.couch the node's store, for files that are kept in it
 * @throws HyperactiveError `blob_store_unusable`, `blob_store_unreachable`
 */
export async function openBlobs(
  store: MediaStore,
  secrets: StoreSecrets,
  { data, couch }: { data: string; couch: Couch },
): Promise<BlobDriver> {
  const spool = join(data, 'media-incoming')
  switch (store.kind) {
    case 'folder':
      return FolderBlobs.open(store.folder ?? join(data, 'media'))
    case 's3':
      return new ObjectBlobs(new S3Objects(store, secrets), spool)
    case 'couchdb':
      return new ObjectBlobs(await CouchObjects.open(couch), spool)
  }
}
