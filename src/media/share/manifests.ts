import { messageOf } from '../../errors.ts'
import { parseId } from '../../ledger/document.ts'
import type { Media } from '../../ledger/document.ts'
import type { Ledger } from '../../ledger/ledger.ts'
import { logger } from '../../log.ts'
import type { Site } from '../../project/site.ts'
import { checkManifest, isSameManifest, isSha256 } from '../blobs/blob.ts'
import type { BlobManifest } from '../blobs/blob.ts'
import type { BlobDriver } from '../blobs/driver.ts'

const log = logger('media')

const KEPT = 100
const MOST_DOCUMENTS = 20

/** What files are made of: as they are kept here, or else as media documents of the ledger say. */
export class Manifests {
  readonly #ledger: Ledger
  readonly #site: Site
  readonly #driver: Pick<BlobDriver, 'stat'>
  readonly #known = new Map<string, BlobManifest>()
  /** Manifests that are proven wrong. */
  readonly #wrong: BlobManifest[] = []

  constructor(options: { ledger: Ledger; site: Site; driver: Pick<BlobDriver, 'stat'> }) {
    this.#ledger = options.ledger
    this.#site = options.site
    this.#driver = options.driver
  }

  async of(sha256: string): Promise<BlobManifest | undefined> {
    const known = this.#known.get(sha256)
    if (known) return known
    if (!isSha256(sha256)) return undefined
    const found = (await this.#driver.stat(sha256).catch(() => undefined)) ?? (await this.#documented(sha256))
    if (!found) return undefined
    this.#known.set(sha256, found)
    const [oldest] = this.#known.keys()
    if (this.#known.size > KEPT && oldest !== undefined) this.#known.delete(oldest)
    return found
  }

  /** A manifest was proven wrong: another document may have the right one. */
  refuse(manifest: BlobManifest): void {
    this.#known.delete(manifest.sha256)
    this.#wrong.push(manifest)
    if (this.#wrong.length > KEPT) this.#wrong.shift()
  }

  forget(sha256: string): void {
    this.#known.delete(sha256)
  }

  async #documented(sha256: string): Promise<BlobManifest | undefined> {
    const rows = await this.#site.filesNamed(sha256, MOST_DOCUMENTS)
    const ids = rows.map(({ item, media }) => `${item}:media:${media}`).filter((id) => parseId(id))
    for (const document of (await this.#ledger.readMany(ids)).values()) {
      const file = (document as Media).files.find((one) => one.sha256 === sha256)
      if (!file) continue
      try {
        const { bytes, pieces } = file
        const manifest = checkManifest({ sha256, bytes, pieces })
        if (!this.#wrong.some((wrong) => isSameManifest(wrong, manifest))) return manifest
      } catch (error) {
        log.warn('a media document describes a file that cannot be', { reason: messageOf(error) })
      }
    }
    return undefined
  }
}
