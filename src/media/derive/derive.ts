import { dayTime } from '../../ledger/clock.ts'
import type { Media } from '../../ledger/document.ts'
import type { Ledger } from '../../ledger/ledger.ts'
import type { MediaFile } from '../../ledger/media.ts'
import { logger } from '../../log.ts'
import type { SiteItem } from '../../project/site-item.ts'
import type { Site } from '../../project/site.ts'
import type { BlobDriver } from '../blobs/driver.ts'
import type { Job, JobFile } from './jobs.ts'
import type { Maker } from './maker.ts'
import { wantedBy } from './wanted.ts'

const log = logger('media')

/** What came of it: the id of the ledger document, if there was anything to make, and the files that were made. */
export interface Said {
  document?: string | undefined
  files: readonly MediaFile[]
}

export interface DeriveOptions {
  jobs: JobFile
  maker: Maker
  blobs: Pick<BlobDriver, 'stat'>
  site: Pick<Site, 'anyItem'>
  ledger: Pick<Ledger, 'append' | 'readMany'>
}

/**
 * Makes what is to be made of a file, keeps it, and says so in the ledger, as far as that has not been done before.
 *
 * @returns nothing where it is not wanted any more
 * @throws what {@link Maker.make} throws; HyperactiveError `append_failed`
 */
export async function derive(
  job: Job,
  signal: AbortSignal,
  options: DeriveOptions,
): Promise<Said | undefined> {
  const { jobs, maker, ledger } = options
  if (!(await wanting(job, options))) return undefined
  let files = jobs.madeOf(job) ?? (await madeBefore(job, options))
  if (!files || !(await areHere(files, options))) {
    files = await maker.make(job.file, signal, (made) => jobs.kept(job.id, made))
    // From here on a node that is killed need not do it again.
    jobs.made(job, files)
  }
  const wants = await wanting(job, options)
  if (!wants) return undefined
  if (files.length === 0) return { files }
  signal.throwIfAborted()
  const { item, sha256 } = job
  // It is made moments after it was published.
  const dated = wants.fields.dayOnly === true ? { at: dayTime(Date.now()) } : {}
  const [document] = await ledger.append([{ draft: { type: 'media', item, of: sha256, files }, ...dated }])
  log.debug('something was made of a file', { sort: job.sort, files: files.length })
  return { document: document?._id, files }
}

/** The item, where its readers get the file and no node has been faster. */
async function wanting(
  { item, sha256 }: Job,
  { site }: Pick<DeriveOptions, 'site'>,
): Promise<SiteItem | undefined> {
  const found = await site.anyItem(item)
  return wantedBy(found).get(sha256)?.isMade === false ? found : undefined
}

/** What this node has made of the same file for another item. */
async function madeBefore(
  { sha256 }: Job,
  { jobs, ledger }: Pick<DeriveOptions, 'jobs' | 'ledger'>,
): Promise<MediaFile[] | undefined> {
  const id = jobs.documentOf(sha256)
  if (id === undefined) return undefined
  const document = (await ledger.readMany([id])).get(id) as Media | undefined
  return document?.files.slice()
}

async function areHere(
  files: readonly MediaFile[],
  { blobs }: Pick<DeriveOptions, 'blobs'>,
): Promise<boolean> {
  const found = await Promise.all(files.map(({ sha256 }) => blobs.stat(sha256).catch(() => undefined)))
  return found.every((manifest) => manifest !== undefined)
}
