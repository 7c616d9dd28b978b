import { join } from 'node:path'
import type { LoadedConfig } from '../config/config.ts'
import type { Mirror } from '../config/mirrors.ts'
import { HyperactiveError } from '../errors.ts'
import { Changes } from './changes.ts'
import { Delivery } from './delivery.ts'
import { lockMirror } from './lock.ts'
import { MirrorRecord } from './record.ts'
import { openTarget } from './targets/open.ts'
import type { Target } from './targets/target.ts'
import { recordFindings, removeLeft, verifyMirror } from './verify.ts'
import type { Verification } from './verify.ts'
import { WalkedSite } from './walked-site.ts'

const LONGEST_LOCK_MS = 10 * 60_000

/** Where a node with mirrors produces its site. */
export function producedFolder(data: string): string {
  return join(data, 'produced')
}

/**
 * The site as it was produced last, read anew.
 *
 * @throws HyperactiveError `not_produced`
 */
export async function producedSite(data: string): Promise<WalkedSite> {
  const site = await WalkedSite.walk(producedFolder(data))
  if (site.files.has('index.html')) return site
  const text = `no site has been produced in ${site.folder} yet; start the node with mirrors in its settings`
  throw new HyperactiveError('not_produced', text, { status: 409 })
}

/** What a command does with one mirror, beside the node if it runs. */
export class MirrorAtOnce implements AsyncDisposable {
  readonly #mirror: Mirror
  readonly #data: string
  readonly #site: WalkedSite
  readonly #record: MirrorRecord
  readonly #target: Target
  readonly #signal = new AbortController().signal

  constructor({ config, secrets }: LoadedConfig, mirror: Mirror, site: WalkedSite) {
    this.#mirror = mirror
    this.#data = config.data
    this.#site = site
    this.#record = MirrorRecord.open(config.data, mirror.name)
    this.#target = openTarget(mirror, secrets.mirrors?.[mirror.name])
  }

  /** Sends everything that differs. */
  async sync(): Promise<{ files: number; refused: number; refusal: string | undefined }> {
    return await this.#deliver()
  }

  verify(): Promise<Verification> {
    return verifyMirror({
      site: this.#site,
      target: this.#target,
      record: this.#record,
      signal: this.#signal,
    })
  }

  /** Sends what was found missing or wrong, and removes what is left of this node's own. */
  async repair(found: Verification): Promise<void> {
    {
      using _ = await this.#lock()
      recordFindings(this.#record, found)
      await removeLeft({ target: this.#target, signal: this.#signal }, found)
    }
    await this.#deliver()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#target[Symbol.asyncDispose]()
    this.#record[Symbol.dispose]()
  }

  #lock(): Promise<Disposable> {
    return lockMirror(this.#data, this.#mirror.name, { mostMs: LONGEST_LOCK_MS, signal: this.#signal })
  }

  async #deliver() {
    const delivery = new Delivery({
      name: this.#mirror.name,
      site: this.#site,
      target: this.#target,
      record: this.#record,
      changes: new Changes(),
      lock: () => this.#lock(),
      look: (paths) => this.#site.look(paths),
      signal: this.#signal,
    })
    await delivery.begin()
    while (await delivery.step());
    const { count, reason } = delivery.refused
    this.#record.note({ lastSuccess: new Date().toISOString(), lastError: undefined, nextRetry: undefined })
    return { files: this.#record.count(), refused: count, refusal: reason }
  }
}
