import { setTimeout as pause } from 'node:timers/promises'
import type { LoadedConfig } from '../config/config.ts'
import { findRunningNode } from '../config/data-folder.ts'
import { termName, TERMS } from '../project/terms.ts'
import { readDesignDoc } from '../couch/design-docs.ts'
import { messageOf } from '../errors.ts'
import { logger } from '../log.ts'
import { ChangesOf } from '../pages/store/changes-of.ts'
import { SITE_DATABASE } from '../project/rebuild.ts'
import { openStoreForCommand } from '../store.ts'
import { openSite, PAGES_AT_ONCE } from './open-site.ts'
import type { OpenSite } from './open-site.ts'
import { Producer } from './producer.ts'
import type { ProducerOptions, ProduceReport } from './producer-options.ts'
import { SiteFollower } from './site-follower.ts'

const log = logger('produce')

const LOOK_EVERY_MS = 250
const AWAY_PAUSE_MS = 1000

export interface WatchOptions {
  produced: Pick<ProducerOptions, 'folder' | 'live' | 'base' | 'languages'>
  signal: AbortSignal
  /** Told when everything has been produced, also after the node has been away. */
  onAll: (report: ProduceReport) => void
}

/**
 * Produces the site of a node that runs, and keeps it current until the signal. When the node goes away it waits for it,
 * and then looks at everything again.
 */
export async function watchSite(loaded: LoadedConfig, options: WatchOptions): Promise<void> {
  const { signal } = options
  while (!signal.aborted) {
    try {
      if (await findRunningNode(loaded.config.data)) await follow(loaded, options)
    } catch (error) {
      if (signal.aborted) return
      log.warn('the node cannot be followed; trying again', { reason: messageOf(error) })
    }
    await pause(AWAY_PAUSE_MS, undefined, { signal }).catch(() => undefined)
  }
}

async function follow(loaded: LoadedConfig, { produced, signal, onAll }: WatchOptions): Promise<void> {
  await using stack = new AsyncDisposableStack()
  const store = stack.use(await openStoreForCommand(loaded))
  // The node ended since it was looked for: it is not to be kept from starting again.
  if (store.folder) return
  const open = stack.use(await openSite(store, loaded))
  const changesOf = new ChangesOf((await readDesignDoc(SITE_DATABASE)).views ?? {}, () => {
    open.changed()
    producer.startOver()
  })
  const follower = new SiteFollower(open.site.database, changesOf)
  await follower.open()
  const { application, site, media } = open
  const about = loaded.config.site
  const producer = stack.use(
    new Producer({
      ...produced,
      application,
      site,
      media,
      about,
      atOnce: PAGES_AT_ONCE,
      follows: true,
    }),
  )
  const counts = new CountsThatFollow(open, producer)
  onAll(await producer.produceAll())
  producer.follow()
  const looking = setInterval(() => counts.look(), LOOK_EVERY_MS)
  stack.defer(() => clearInterval(looking))
  while (!signal.aborted) {
    const found = await follower.next(signal)
    if (!found) continue
    const words = [
      ...found.terms.flatMap((term) => open.terms.take(term)),
      ...found.others.flatMap((id) => open.terms.forget(id)),
    ]
    open.changed()
    counts.add(found.change.names)
    const names = words.flatMap(({ vocabulary, names: all }) => all.map((name) => termName(vocabulary, name)))
    if (names.length > 0) names.push(TERMS)
    producer.changed({ ...found.change, names: [...found.change.names, ...names] })
  }
}

/**
 * The node writes counts into its index a moment after the documents that they are of. So whatever shows them is made
 * again when the index has moved on.
 */
class CountsThatFollow {
  readonly #open: OpenSite
  readonly #producer: Producer
  #mark: string
  #recent: ReadonlySet<string> = new Set()
  #former: ReadonlySet<string> = new Set()

  constructor(open: OpenSite, producer: Producer) {
    this.#open = open
    this.#producer = producer
    this.#mark = this.#read()
  }

  add(names: readonly string[]): void {
    this.#recent = new Set([...this.#recent, ...names])
  }

  look(): void {
    const mark = this.#read()
    if (mark === this.#mark) return
    this.#mark = mark
    const names = [...new Set([...this.#recent, ...this.#former])]
    this.#former = this.#recent
    this.#recent = new Set()
    if (names.length === 0) return
    this.#open.changed()
    this.#producer.changed({ documents: [], rows: [], names })
  }

  #read(): string {
    return JSON.stringify(this.#open.index.mark())
  }
}
