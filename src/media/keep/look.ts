import type { FileRow } from '../../project/file-rows.ts'
import type { Site } from '../../project/site.ts'
import type { BlobDriver, ListedBlob } from '../blobs/driver.ts'
import { allBlobs } from '../blobs/driver.ts'

const ROWS = 1000

/** A file that is here, or that a document says should be somewhere. */
export interface LookedAt {
  sha256: string
  /** That it takes up here; of one that is not here, that it would. */
  bytes: number
  /** Whether all of it is here, some pieces, or nothing. */
  state: 'whole' | 'incomplete' | 'missing'
  /** What names it: where readers get it from, or else any document; undefined where none does that counts here. */
  named?: FileRow
}

/**
 * Goes through all files in the order of their digests: those that are in the store, and those that the site's items name.
 * It holds one page of each in memory.
 *
 * @param after a digest to go on after
 */
export async function* lookAtFiles(
  { blobs, site }: { blobs: Pick<BlobDriver, 'list'>; site: Pick<Site, 'files'> },
  after?: string,
): AsyncGenerator<LookedAt> {
  const here = allBlobs(blobs, after)
  const names = firstNames(site, after)
  let [blob, named] = [await take(here), await take(names)]
  while (blob ?? named) {
    if (blob && (!named || blob.sha256 < named.sha256)) {
      yield { ...blobAs(blob) }
      blob = await take(here)
    } else if (named && (!blob || named.sha256 < blob.sha256)) {
      yield { sha256: named.sha256, bytes: named.bytes, state: 'missing', named }
      named = await take(names)
    } else if (blob && named) {
      yield { ...blobAs(blob), named }
      ;[blob, named] = [await take(here), await take(names)]
    }
  }
}

function blobAs({ sha256, bytes, isWhole }: ListedBlob): LookedAt {
  return { sha256, bytes, state: isWhole ? 'whole' : 'incomplete' }
}

/** Of each file the first row: the one that says most. */
async function* firstNames(site: Pick<Site, 'files'>, after?: string): AsyncGenerator<FileRow> {
  let last: FileRow | undefined
  for (let from: FileRow | string | undefined = after; ;) {
    const rows: FileRow[] = await site.files(ROWS, from)
    for (const row of rows) {
      if (row.sha256 !== last?.sha256) yield row
      last = row
    }
    if (rows.length < ROWS || !last) return
    from = last
  }
}

async function take<Value>(from: AsyncGenerator<Value>): Promise<Value | undefined> {
  const { value, done } = await from.next()
  return done === true ? undefined : value
}
