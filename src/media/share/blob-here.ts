import type { BlobManifest } from '../blobs/blob.ts'
import type { BlobDriver } from '../blobs/driver.ts'
import { allBlobs } from '../blobs/driver.ts'
import { scrub } from '../blobs/scrub.ts'
import type { Scrubbed } from '../blobs/scrub.ts'
import type { Fetch } from './fetch.ts'
import type { Files } from './files.ts'
import type { Manifests } from './manifests.ts'
import type { OwnLog } from './own-log.ts'
import { notHere } from './problems.ts'
import type { Damage } from './scrubber.ts'

const PAGE = 1000
const ANY_RATE = 2 ** 40

export interface BlobHereOptions {
  driver: BlobDriver
  log: OwnLog
  files: Files
  manifests: Manifests
  isDamaged: (sha256: string) => boolean
}

/** Which files are here, kept in step with what this node says of that. */
export class BlobHere {
  readonly #options: BlobHereOptions

  constructor(options: BlobHereOptions) {
    this.#options = options
  }

  /** Whether a file is here; what has come without anybody saying so is told from now on. */
  async isHere(sha256: string): Promise<boolean> {
    const { driver, log, isDamaged } = this.#options
    if (isDamaged(sha256)) return false
    if (log.holds(sha256)) return true
    if (!(await driver.stat(sha256).catch(() => undefined))) return false
    log.note(sha256, true)
    return true
  }

  /** The same by the store alone, whatever was said. */
  async isStored(sha256: string): Promise<boolean> {
    const { driver, log, isDamaged } = this.#options
    const isThere = !isDamaged(sha256) && (await driver.stat(sha256).catch(() => undefined)) !== undefined
    log.note(sha256, isThere)
    return isThere
  }

  /** A file is here now. */
  came(sha256: string): void {
    if (this.#options.isDamaged(sha256)) return
    this.#options.log.note(sha256, true)
    this.#options.files.setHeld(sha256, true)
  }

  async remove(sha256: string): Promise<void> {
    const { driver, log, files, manifests } = this.#options
    await driver.delete(sha256)
    manifests.forget(sha256)
    log.note(sha256, false)
    files.setHeld(sha256, false)
  }

  /** Removes what has come of a file that is not whole. */
  async dropPieces(sha256: string): Promise<void> {
    const { driver } = this.#options
    const isWhole = await driver.stat(sha256).catch(() => true)
    if (isWhole === undefined) await driver.delete(sha256).catch(() => undefined)
  }

  /** Compares what is here with what this node says, and says what is otherwise. */
  async reconcile(signal: AbortSignal): Promise<void> {
    const { driver, log } = this.#options
    const said = this.#said()
    let next = said.next().value
    for await (const { sha256, isWhole } of allBlobs(driver)) {
      signal.throwIfAborted()
      if (!isWhole) continue
      for (; next !== undefined && next < sha256; next = said.next().value) log.note(next, false)
      if (next === sha256) next = said.next().value
      else log.note(sha256, true)
    }
    for (; next !== undefined; next = said.next().value) log.note(next, false)
    log.flush()
  }

  /**
   * Has a damaged file fetched anew, or what is damaged of it.
   *
   * @throws whatever the fetch ends with; HyperactiveError `blob_not_here_yet` while nobody else has the file
   */
  async mend(
    { sha256, manifest, pieces }: Damage,
    {
      isElsewhere,
      fetch,
    }: { isElsewhere: boolean; fetch: (manifest: BlobManifest, damaged: readonly number[]) => Fetch },
  ): Promise<void> {
    const { driver, manifests } = this.#options
    if (!isElsewhere) throw notHere(sha256)
    if (manifest && pieces) await fetch(manifest, pieces).done
    else {
      // Nothing of it can be trusted.
      await driver.delete(sha256)
      manifests.forget(sha256)
      const documented = await manifests.of(sha256)
      if (!documented) throw notHere(sha256)
      await fetch(documented, []).done
    }
    if (!(await this.isSound(sha256))) throw notHere(sha256)
  }

  async isSound(sha256: string): Promise<boolean> {
    return (await this.lookAt(sha256))?.state === 'sound'
  }

  /** Reads a file and compares it with its name; undefined for one that is not here, which is said then. */
  async lookAt(sha256: string): Promise<Scrubbed | undefined> {
    const { driver } = this.#options
    const only = { list: async () => ({ blobs: [{ sha256, bytes: 0, isWhole: true }], next: undefined }) }
    const some = {
      ...only,
      stat: (name: string) => driver.stat(name),
      readPiece: (manifest: BlobManifest, index: number) => driver.readPiece(manifest, index),
    }
    for await (const found of scrub(some, { bytesPerSecond: ANY_RATE })) return found
    this.#options.log.note(sha256, false)
    this.#options.files.setHeld(sha256, false)
    return undefined
  }

  *#said(): Generator<string, undefined> {
    const { log } = this.#options
    for (let after = ''; ;) {
      const page = log.held(after, PAGE)
      yield* page
      after = page.at(-1) ?? ''
      if (page.length < PAGE) return undefined
    }
  }
}
