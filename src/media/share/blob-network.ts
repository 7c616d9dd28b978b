import type { Router } from '@koa/router'
import { messageOf } from '../../errors.ts'
import { logger } from '../../log.ts'
import type { Written } from '../../project/site-writer.ts'
import type { Peer } from '../../replication/peers-file.ts'
import type { BlobReading, ByteRange } from '../blobs/driver.ts'
import { missing } from '../blobs/problems.ts'
import type { Fetch } from './fetch.ts'
import { DAY_MS } from './files.ts'
import type { Lacking } from './files.ts'
import { assemble } from './parts.ts'
import type { BlobNetworkOptions, Parts } from './parts.ts'
import { codeOf, notHere } from './problems.ts'
import { readThrough } from './reading.ts'
import type { NetworkState } from './state.ts'

export type { BlobNetworkOptions, Times } from './parts.ts'

const log = logger('media')

/** The days on which files were read are written down this often. */
const READS_MS = 10_000
const MOST_READS = 10_000
const LACKING_SHOWN = 20

/**
 * Where the network's files are: says what this node holds and hears what others do, fetches what is to be here, gives it to
 * peers and readers, lets go of what enough others hold, and has mended what is damaged.
 */
export class BlobNetwork implements AsyncDisposable {
  readonly #options: BlobNetworkOptions
  readonly #parts: Parts
  readonly #stop = new AbortController()
  /** Files that readers got since that was last written down. */
  readonly #reads = new Set<string>()
  readonly #timers: NodeJS.Timeout[] = []
  #running: Promise<unknown> = Promise.resolve()

  constructor(options: BlobNetworkOptions) {
    this.#options = options
    options.signal?.addEventListener('abort', () => this.#stop.abort(), { once: true })
    this.#parts = assemble(options, this.#stop.signal)
  }

  /** Adds the routes for peers to the gateway's. */
  mount(router: Router): void {
    this.#parts.reception.mount(router)
  }

  /** Takes up the peers file. */
  follow(peers: readonly Peer[]): Promise<void> {
    return this.#stop.signal.aborted ? Promise.resolve() : this.#parts.lines.follow(peers)
  }

  /** To be called after documents of the site database were written. */
  written(written: Pick<Written, 'documents'>): void {
    this.#background('what was written', this.#parts.look.written(written))
  }

  /** Begins to call peers, to fetch, and to look at what is here; to be called when this node answers. */
  start(): void {
    const { ownLog, lines, keeping, scrubber, here, look, present, times } = this.#parts
    const { signal } = this.#stop
    const sign = () => {
      // A mirror's copies do not count.
      if (!this.#options.config.mirror) ownLog.sign()
      present.look()
    }
    const begin = async () => {
      await here.reconcile(signal)
      ownLog.flush()
      sign()
      lines.start()
      const site = look.whole(signal)
      this.#background('the look through the site', site)
      await Promise.all([keeping.run(signal), scrubber.run(signal), site.catch(() => undefined)])
    }
    this.#running = begin().catch((error: unknown) => {
      if (!signal.aborted)
        log.error('files are not shared', { code: codeOf(error), reason: messageOf(error) })
    })
    this.#timers.push(
      setInterval(sign, times.signMs).unref(),
      setInterval(() => this.#noteReads(), READS_MS).unref(),
    )
  }

  /**
   * Reads a file for a reader. One that is not here is fetched, and given while it comes; several readers have it fetched once.
   *
   * @throws HyperactiveError `blob_missing` for one that nobody describes, `blob_not_here_yet` for one that does not come in
   * time, `blob_bad_range`
   */
  async read(sha256: string, range: ByteRange = {}): Promise<BlobReading> {
    const { driver, scrubber, manifests, fetches, files, ownLog, times } = this.#parts
    this.wasRead(sha256)
    const damage = scrubber.damaged.get(sha256)
    if (!damage) {
      try {
        return await driver.read(sha256, range)
      } catch (error) {
        if (codeOf(error) !== 'blob_missing' && codeOf(error) !== 'blob_damaged') throw error
      }
    }
    // Whoever deletes a file, or a disk that breaks, tells nobody.
    if (ownLog.holds(sha256)) void scrubber.lookAt(sha256)
    const manifest = await manifests.of(sha256)
    if (!manifest) throw missing(sha256)
    // Before it is here: it may be here only because it is read.
    files.setRead([sha256], today())
    const fetch = fetches.begin(manifest, damage?.pieces)
    const joined = fetches.join(fetch)
    const leave = () => joined[Symbol.dispose]()
    return readThrough({ manifest, range, driver, fetch, patienceMs: times.patienceMs, leave })
  }

  /** Notes that somebody reads a file: by the day, for who keeps those that were used last. */
  wasRead(sha256: string): void {
    if (this.#reads.size < MOST_READS) this.#reads.add(sha256)
  }

  /**
   * Has a file fetched, whatever the policy says; resolves when it is here.
   *
   * @throws HyperactiveError `blob_missing` for one that nobody describes, `blob_not_here_yet`, or what the store says
   */
  async fetch(sha256: string): Promise<void> {
    const { here, scrubber, fetches } = this.#parts
    // It may be damaged, which nobody has seen yet.
    if (await here.isStored(sha256)) await scrubber.lookAt(sha256)
    if (await here.isStored(sha256)) return
    if (scrubber.damaged.has(sha256)) throw notHere(sha256)
    const fetch = await this.#begin(sha256)
    using _joined = fetches.join(fetch)
    await fetch.done
  }

  /** The keys of the nodes that say that they hold a file, as far as they are there, this one among them. */
  holders(sha256: string): string[] {
    const { holdings, present, ownLog } = this.#parts
    const others = present.among(holdings.holders(sha256)).map(({ key }) => key)
    return ownLog.holds(sha256) ? [ownLog.node, ...others] : others
  }

  /** Whether a file may be removed here: enough others hold it, as they say right now, and prove. */
  mayDrop(sha256: string): Promise<boolean> {
    return this.#parts.dropping.mayDrop(sha256)
  }

  /** Files that are not on as many nodes, or under as many laws, as they are to be, in the order of their digests. */
  underReplicated(limit: number, after?: string): Lacking[] {
    return this.#parts.files.lacking(limit, after)
  }

  /** Removes a file and whatever has come of it, and ends its fetch; it is not fetched again unless an item names it. */
  async forget(sha256: string): Promise<void> {
    const { files, fetches, here } = this.#parts
    files.remove(sha256)
    this.#reads.delete(sha256)
    await fetches.stop(sha256)
    await here.remove(sha256)
  }

  /** Looks at all files once, from where the last look ended. */
  scrub(signal: AbortSignal = this.#stop.signal): Promise<void> {
    return this.#parts.scrubber.once(signal)
  }

  get state(): NetworkState {
    const { files, fetches, lines, present, scrubber, keeping, wanted } = this.#parts
    const running = fetches.running
    return {
      ...files.counts(),
      ...wanted,
      nodes: present.others.length,
      fetching: running.length,
      missingPieces: running.reduce((sum, { missing }) => sum + missing, 0),
      lackingSome: files.lacking(LACKING_SHOWN),
      damaged: [...scrubber.damaged.values()].slice(0, LACKING_SHOWN).map(({ sha256, since, problem }) => ({
        sha256,
        since,
        ...(problem === undefined ? {} : { problem }),
      })),
      scrub: scrubber.state,
      peers: lines.all.map(({ peer, isUp, health }) => ({
        name: peer,
        isUp,
        in: fetches.moved.get(peer)?.in ?? 0,
        out: fetches.moved.get(peer)?.out ?? 0,
        ...(health.problem === undefined ? {} : { problem: health.problem }),
      })),
      ...(keeping.problem === undefined ? {} : { problem: keeping.problem }),
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { lines, fetches, ownLog, database } = this.#parts
    this.#stop.abort()
    for (const timer of this.#timers) clearInterval(timer)
    fetches[Symbol.dispose]()
    await lines[Symbol.asyncDispose]()
    await this.#running
    await fetches.ended()
    this.#noteReads()
    ownLog[Symbol.dispose]()
    database.close()
  }

  async #begin(sha256: string): Promise<Fetch> {
    const manifest = await this.#parts.manifests.of(sha256)
    if (!manifest) throw notHere(sha256)
    return this.#parts.fetches.begin(manifest)
  }

  #noteReads(): void {
    if (this.#reads.size === 0) return
    this.#parts.files.setRead(this.#reads, today())
    this.#reads.clear()
  }

  #background(what: string, work: Promise<unknown>): void {
    work.catch((error: unknown) => {
      if (!this.#stop.signal.aborted)
        log.warn('files were not looked for', { what, code: codeOf(error), reason: messageOf(error) })
    })
  }
}

/** Counted from 1970. */
function today(): number {
  return Math.floor(Date.now() / DAY_MS)
}
