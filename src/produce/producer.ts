import { setTimeout as pause } from 'node:timers/promises'
import { chooseLanguage } from '../i18n/choose.ts'
import type { Language } from '../i18n/messages.ts'
import { logger } from '../log.ts'
import { messageOf } from '../errors.ts'
import { ChangesOf } from '../pages/store/changes-of.ts'
import { Dependencies } from '../pages/store/dependencies.ts'
import type { Change } from '../pages/store/dependencies.ts'
import { itemAbout } from '../project/site-item.ts'
import type { Written } from '../project/site-writer.ts'
import { tracking } from '../reads.ts'
import type { Reads } from '../reads.ts'
import { Addresses } from './addresses.ts'
import type { Address } from './addresses.ts'
import { ask } from './ask.ts'
import type { Answer } from './ask.ts'
import { fileOf } from './page-file.ts'
import { PageLinks } from './page-links.ts'
import { monthsAmong, periodName, periodsWithEvents } from './periods.ts'
import type { ProducedSite } from './produced-site.ts'
import type { ProducerOptions, ProduceReport } from './producer-options.ts'
import { PageQueue } from './page-queue.ts'
import { addressesIn, PRODUCED } from './rewrite.ts'
import { produceFile } from './site-media.ts'
import { SitePages } from './site-pages.ts'
import type { SitePage } from './site-pages.ts'
import { workThrough } from './work-through.ts'

const log = logger('produce')

/** Pages that are made at the same time where nobody says how many. */
const AT_ONCE = 8
const TELL_EVERY_MS = 200
const LONGEST_TIMER_MS = 2 ** 31 - 1
const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 30_000
const PERIODS = '#periods'
const FRONT_PAGE = 'index.html'

/**
 * Makes a complete static site of a node's pages: asks the node's application, in this process, for the front page and
 * for everything that links lead to from there, and writes what it answers with links to other files. Told of changes it
 * makes anew what they touch, and nothing else.
 */
export class Producer implements ProducedSite, AsyncDisposable {
  readonly #options: ProducerOptions
  #live: readonly string[]
  readonly #language: Language
  readonly #addresses: Addresses
  readonly #pages = new SitePages()
  readonly #queue = new PageQueue()
  readonly #dependencies = new Dependencies()
  readonly #changesOf: ChangesOf
  readonly #listeners = new Set<(paths: readonly string[]) => void>()
  #periods: ReadonlySet<string> = new Set()
  #periodsDue = true
  #untold: string[] = []
  #toldAtMs = 0
  #report = newReport()
  #running: Promise<void> | undefined
  /** Ends the pause before what failed is tried again. */
  #awake = new AbortController()
  readonly #whole = Promise.withResolvers<void>()
  #timer: NodeJS.Timeout | undefined
  readonly #stop = new AbortController()
  #isFollowing = false
  /** How many pages have been rendered. */
  rendered = 0

  constructor(options: ProducerOptions) {
    this.#options = options
    this.#live = options.live
    this.#language = chooseLanguage('', options.about.language)
    this.#addresses = new Addresses(this.#language, options.languages)
    this.#changesOf = new ChangesOf(options.views ?? {}, () => this.startOver())
  }

  get folder(): string {
    return this.#options.folder.path
  }

  get files() {
    return this.#options.folder.files
  }

  onChanged(told: (paths: readonly string[]) => void): () => void {
    this.#listeners.add(told)
    return () => this.#listeners.delete(told)
  }

  /**
   * Makes everything, and removes what nothing leads to any more.
   *
   * @throws HyperactiveError `produce_unwritable`
   */
  async produceAll(): Promise<ProduceReport> {
    await this.settled().catch(() => undefined)
    this.#everythingIsDue()
    this.#report = newReport()
    await this.#start(this.#run())
    return { ...this.#report, files: this.files.size }
  }

  /** From now on makes anew what {@link changed} touches and what time does; what fails is tried again. */
  follow(): void {
    this.#isFollowing = true
    this.#wake()
  }

  /** Everything may be another now, as when the site database has been made anew. */
  startOver(): void {
    this.#everythingIsDue()
    this.#wake()
  }

  /** Other nodes are where forms and searches are, so every page is another one. */
  setLive(live: readonly string[]): void {
    if (live.join(' ') === this.#live.join(' ')) return
    this.#live = live
    this.startOver()
  }

  /**
   * To be called with what the projector has written, in the process that projects, after whoever else keeps something
   * of it: pages are rendered at once.
   */
  written(written: Written): void {
    this.changed(this.#changesOf.of(written))
  }

  /** Makes anew what was made of this: pages of the items themselves first. */
  changed(change: Change): void {
    this.#touch(this.#dependencies.changed(change), new Set(change.documents.map(itemAbout)))
    this.#wake()
  }

  /** Resolves when nothing is left to be made; rejects with what it failed on. */
  async settled(): Promise<void> {
    await this.#running
  }

  /** Resolves when everything has been looked at once, though some pages may have failed; not without a front page. */
  get whole(): Promise<void> {
    return this.#whole.promise
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    clearTimeout(this.#timer)
    await this.#running?.catch(() => undefined)
  }

  #everythingIsDue(): void {
    this.#dependencies.forgetChanges()
    this.#periodsDue = true
    for (const page of this.#pages.all()) this.#add(page)
  }

  async #start(work: Promise<void>): Promise<void> {
    this.#running = work
    try {
      await work
    } finally {
      this.#running = undefined
      this.#wake()
    }
  }

  #add(page: SitePage, isUrgent = false): void {
    page.isDue = true
    this.#queue.add(page, isUrgent)
  }

  /** Makes pages anew, those of these items first. */
  #touch(keys: readonly string[], items: ReadonlySet<string> = new Set()): void {
    for (const key of keys) {
      const page = this.#pages.get(key)
      if (page) this.#add(page, items.has(page.address.item ?? ''))
      else if (key === PERIODS) this.#periodsDue = true
    }
  }

  /** Sees to it that what is due gets made, now or when the time comes. */
  #wake(): void {
    this.#awake.abort()
    if (!this.#isFollowing || this.#running || this.#stop.signal.aborted) return
    if (this.#queue.size > 0 || this.#periodsDue) {
      void this.#start(this.#persist())
      return
    }
    clearTimeout(this.#timer)
    const next = this.#dependencies.nextMs
    if (next === Infinity) return
    this.#timer = setTimeout(
      () => {
        this.#touch(this.#dependencies.expired(Date.now()))
        this.#wake()
      },
      Math.min(Math.max(next - Date.now(), 0) + 1, LONGEST_TIMER_MS),
    ).unref()
  }

  async #persist(): Promise<void> {
    const { signal } = this.#stop
    let pauseMs = FIRST_PAUSE_MS
    let isWoken = false
    while (!signal.aborted) {
      let reason: string
      const awake = new AbortController()
      this.#awake = awake
      try {
        this.#touch(this.#dependencies.expired(Date.now()))
        this.#report = newReport()
        await this.#run()
        const { failed } = this.#report
        if (failed.length === 0) return
        for (const { address } of failed) this.#touch([address])
        reason = `${failed.length} pages could not be made`
      } catch (error) {
        if (signal.aborted) return
        reason = messageOf(error)
      }
      if (!isWoken) log.warn('the produced site is not up to date; trying again', { reason, pauseMs })
      // What changes meanwhile does not wait for what fails.
      const until = AbortSignal.any([signal, awake.signal])
      await pause(pauseMs, undefined, { signal: until }).catch(() => undefined)
      isWoken = awake.signal.aborted
      if (!isWoken) pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)
    }
  }

  async #run(): Promise<void> {
    try {
      do {
        if (this.#periodsDue) await this.#findPeriods()
        for (const address of this.#roots()) this.#find(address)
        await this.#makeQueued()
        for (const page of this.#pages.order()) this.#add(page)
      } while (this.#queue.size > 0 || this.#periodsDue)
      if (this.#report.failed.length === 0) await this.#sweep()
      if (this.files.has(FRONT_PAGE)) this.#whole.resolve()
    } finally {
      this.#tell()
      const { folder } = this.#options
      await (this.#isFollowing ? folder.keep() : folder.save())
    }
  }

  async #findPeriods(): Promise<void> {
    this.#periodsDue = false
    const { site, about, follows } = this.#options
    const since = this.#dependencies.now
    let found: { value: Set<string>; reads: Reads }
    try {
      found = await tracking(() => periodsWithEvents(site, about.timeZone))
    } catch (error) {
      this.#periodsDue = true
      throw error
    }
    const { value: periods, reads } = found
    this.#periodsDue = this.#dependencies.isStale(reads, since)
    if (follows) this.#dependencies.put(PERIODS, reads)
    const other = [...periods].filter((period) => !this.#periods.has(period))
    const gone = [...this.#periods].filter((period) => !periods.has(period))
    this.#periods = periods
    const names = [...other, ...gone].map(periodName)
    if (names.length > 0) this.#touch(this.#dependencies.changed({ documents: [], rows: [], names }))
  }

  #roots(): Address[] {
    const { roots } = this.#addresses
    const months = monthsAmong(this.#periods)
    const addresses = [
      ...roots,
      '/robots.txt',
      '/sitemap.xml',
      '/hidden',
      ...months.map((month) => `/calendar/${month}`),
    ]
    return addresses.flatMap((address) => this.#addresses.read(address) ?? [])
  }

  /** A page that something leads to: new ones are made. */
  #find(address: Address): SitePage {
    const known = this.#pages.get(address.key)
    if (known) return known
    const page = this.#pages.add(address)
    this.#add(page)
    return page
  }

  async #makeQueued(): Promise<void> {
    const next = () => {
      for (let page = this.#queue.next(); page; page = this.#queue.next())
        if (!this.#pages.isPassedOver(page)) return page
      return undefined
    }
    const make = (page: SitePage) =>
      this.#make(page).catch((error: unknown) => {
        this.#add(page)
        throw error
      })
    const options = { atOnce: this.#options.atOnce ?? AT_ONCE, signal: this.#stop.signal }
    // What was hidden is so everywhere before anything else is written.
    await workThrough(() => this.#queue.nextUrgent(), make, options)
    this.#tell()
    await workThrough(next, make, options)
  }

  async #make(page: SitePage): Promise<void> {
    if (page.address.sha256 !== undefined) return await this.#makeFile(page)
    const { application, follows, folder, about, base } = this.#options
    const live = this.#live
    page.isDue = false
    const since = this.#dependencies.now
    const headers = { host: new URL(PRODUCED).host, 'accept-language': about.language }
    const { value: answer, reads } = await tracking(() => ask(application, page.address.key, headers))
    this.rendered += 1
    const { status } = answer
    if (status >= 500) {
      this.#report.failed.push({ address: page.address.key, status })
      return
    }
    const links = this.#links(page)
    const bytes = fileOf(page.address, links, answer, { live, base: base ?? live[0] })
    for (const name of links.names) reads.names.add(name)
    if (this.#dependencies.isStale(reads, since)) {
      this.#add(page)
      return
    }
    if (follows) this.#dependencies.put(page.address.key, reads)
    page.targets = links.targets.map((target) => this.#find(target))
    for (const address of this.#alsoFrom(page, answer)) page.targets.push(this.#find(address))
    this.#pages.setOlder(page, links.older && this.#pages.get(links.older.key))
    page.isWritten = bytes !== undefined
    if (bytes && (await folder.write(page.address.file, bytes))) {
      this.#report.written += 1
      this.#untold.push(page.address.file)
      if (Date.now() - this.#toldAtMs > TELL_EVERY_MS) this.#tell()
    }
  }

  /** A picture, film or the like. */
  async #makeFile(page: SitePage): Promise<void> {
    const { follows, folder, media } = this.#options
    const { key, file } = page.address
    page.isDue = false
    const since = this.#dependencies.now
    const { outcome, reads, needs } = await produceFile(page.address, media, folder)
    if (this.#dependencies.isStale(reads, since)) this.#add(page)
    else if (follows) this.#dependencies.put(key, reads)
    page.targets = needs.flatMap((address) => this.#addresses.read(address) ?? []).map((at) => this.#find(at))
    if (outcome === 'missing' && !this.#report.missing.includes(key)) this.#report.missing.push(key)
    const wasWritten = page.isWritten
    page.isWritten = outcome === 'written' || outcome === 'same'
    if (outcome === 'written') this.#report.written += 1
    if (outcome === 'written' || (outcome === 'gone' && wasWritten)) this.#untold.push(file)
  }

  #links({ address, place }: SitePage): PageLinks {
    return new PageLinks(address, place, {
      addresses: this.#addresses,
      live: this.#live,
      periods: this.#periods,
    })
  }

  /** What a sitemap names is produced, whether or not a page leads there. */
  #alsoFrom({ address }: SitePage, { text }: Answer): Address[] {
    if (!address.file.startsWith('sitemap')) return []
    return addressesIn(text).flatMap((found) => this.#addresses.read(found) ?? [])
  }

  /** Removes what nothing leads to any more. */
  async #sweep(): Promise<void> {
    const { folder } = this.#options
    const wanted = new Set<string>()
    const reached = this.#pages.reachedFrom(this.#roots().map(({ key }) => key))
    for (const { address, isWritten } of reached) if (isWritten) wanted.add(address.file)
    for (const page of this.#pages.all()) {
      if (reached.has(page)) continue
      this.#pages.remove(page)
      this.#dependencies.remove(page.address.key)
    }
    for (const file of folder.names) {
      if (wanted.has(file)) continue
      await folder.remove(file)
      this.#report.removed += 1
      this.#untold.push(file)
    }
  }

  #tell(): void {
    this.#toldAtMs = Date.now()
    const paths = this.#untold
    this.#untold = []
    if (paths.length > 0) for (const told of this.#listeners) told(paths)
  }
}

function newReport(): ProduceReport {
  return { files: 0, written: 0, removed: 0, missing: [], failed: [] }
}
