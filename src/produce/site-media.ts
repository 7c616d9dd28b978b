import { text } from 'node:stream/consumers'
import { HyperactiveError } from '../errors.ts'
import { logger } from '../log.ts'
import type { BlobDriver } from '../media/blobs/driver.ts'
import type { Site } from '../project/site.ts'
import { tracking } from '../reads.ts'
import type { Reads } from '../reads.ts'
import type { Address } from './addresses.ts'
import type { SiteFolder } from './site-folder.ts'

const log = logger('produce')

/** After so long a file that was not here is looked for again. */
const LOOK_AGAIN_MS = 60_000
/** A playlist of a film in parts is a text of a few kilobytes. */
const PLAYLIST = 'm3u8'
const MOST_PLAYLIST_BYTES = 4 * 1024 * 1024
const NAME_IN_PLAYLIST = /(?:^|")([0-9a-f]{64}\.[a-z0-9]{1,8})(?:"|$)/gm

/** Where a produced site's pictures, sound and film come from. */
export interface SiteMedia {
  site: Pick<Site, 'file'>
  blobs: Pick<BlobDriver, 'read'>
}

/** What has become of a file of the site. */
export interface ProducedMedia {
  /** `same`: it was there already; `missing`: readers get it, but its bytes are not here. */
  outcome: 'written' | 'same' | 'missing' | 'gone'
  reads: Reads
  /** Addresses of files without which it does not play. */
  needs: string[]
}

/**
 * Writes a file that pages show, as its bytes come, or removes it where readers do not get it any more.
 *
 * @throws HyperactiveError `produce_unwritable`
 */
export async function produceFile(
  { sha256 = '', file, key }: Address,
  { site, blobs }: SiteMedia,
  folder: SiteFolder,
): Promise<ProducedMedia> {
  const { value: row, reads } = await tracking(() => site.file(sha256))
  if (!row?.isShown || !file.endsWith(`.${row.extension}`)) {
    if (folder.files.has(file)) await folder.remove(file)
    return { outcome: 'gone', reads, needs: [] }
  }
  try {
    const read = async () => (await blobs.read(sha256)).stream
    const isWritten = await folder.writeFrom(file, { sha256, bytes: row.bytes }, read)
    const isPlaylist = row.extension === PLAYLIST && row.bytes <= MOST_PLAYLIST_BYTES
    const needs = isPlaylist ? filesIn(await text(await read())) : []
    return { outcome: isWritten ? 'written' : 'same', reads, needs }
  } catch (error) {
    if (!(error instanceof HyperactiveError) || !error.code.startsWith('blob_')) throw error
    log.warn('a file cannot be read here, so the produced site is without it', {
      file: key,
      code: error.code,
    })
    reads.untilMs = Date.now() + LOOK_AGAIN_MS
    return { outcome: 'missing', reads, needs: [] }
  }
}

function filesIn(playlist: string): string[] {
  return [...new Set([...playlist.matchAll(NAME_IN_PLAYLIST)].map(([, name]) => `/files/${name}`))]
}
