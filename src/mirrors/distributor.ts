import type { Mirror, MirrorSecrets } from '../config/mirrors.ts'
import type { ProducedSite } from '../produce/produced-site.ts'
import { Courier } from './courier.ts'
import { MirrorRecord } from './record.ts'
import { openTarget } from './targets/open.ts'

const LONGEST_PAUSE_MS = 60_000

export interface DistributorOptions {
  /** The whole site: what is not in it is removed from the mirrors. */
  site: ProducedSite
  mirrors: readonly Mirror[]
  secrets?: Readonly<Record<string, MirrorSecrets>> | undefined
  /** The data folder, where what each mirror has is recorded. */
  data: string
  longestPauseMs?: number
}

/**
 * Keeps copies of a produced site where its mirrors are, from each change on. Mirrors do not wait for each other.
 * A site that has no front page yet is not sent.
 */
export class Distributor implements AsyncDisposable {
  readonly #site: ProducedSite
  readonly #couriers: Courier[]
  readonly #stack: AsyncDisposableStack

  constructor({ site, mirrors, secrets = {}, data, longestPauseMs = LONGEST_PAUSE_MS }: DistributorOptions) {
    this.#site = site
    this.#stack = new AsyncDisposableStack()
    this.#couriers = mirrors.map((mirror) => {
      const record = this.#stack.use(MirrorRecord.open(data, mirror.name))
      const target = this.#stack.use(openTarget(mirror, secrets[mirror.name]))
      return this.#stack.use(new Courier({ name: mirror.name, data, site, target, record, longestPauseMs }))
    })
  }

  /** Compares what each mirror is known to have with the site, sends the difference, and follows the site from then on. */
  start(): void {
    const end = this.#site.onChanged((paths) => {
      for (const courier of this.#couriers) courier.changed(paths)
    })
    this.#stack.defer(end)
    for (const courier of this.#couriers) courier.start()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync()
  }
}
