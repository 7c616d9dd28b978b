import type { RequestListener } from 'node:http'
import type { Config, LoadedConfig } from './config/config.ts'
import { Distributor } from './mirrors/distributor.ts'
import type { BlobDriver } from './media/blobs/driver.ts'
import { producedFolder } from './mirrors/at-once.ts'
import type { Change } from './pages/store/dependencies.ts'
import { liveNodes } from './produce/live-nodes.ts'
import { Producer } from './produce/producer.ts'
import { SiteFolder } from './produce/site-folder.ts'
import type { Site } from './project/site.ts'
import type { Written } from './project/site-writer.ts'
import { loadPeers } from './replication/peers-file.ts'
import type { Peer } from './replication/peers-file.ts'

export interface MirroringOptions {
  loaded: LoadedConfig
  site: Pick<Site, 'calendar' | 'file'>
  /** Where files are read, also those that have to be fetched first. */
  blobs: Pick<BlobDriver, 'read'>
  /** The map functions of the site database by their views' names. */
  views: Readonly<Record<string, { map: string }>>
  /** The application that the produced site is made with. */
  application: RequestListener
}

/** What a node with mirrors does for them: it produces its site into the data folder, and distributes that. */
export class Mirroring implements AsyncDisposable {
  readonly #config: Config
  readonly #producer: Producer
  readonly #distributor: Distributor
  #isStopped = false
  #isDistributing = false

  private constructor(config: Config, producer: Producer, distributor: Distributor) {
    this.#config = config
    this.#producer = producer
    this.#distributor = distributor
  }

  /** Opens it for a node whose settings name mirrors; nothing for others. */
  static async open({
    loaded,
    site,
    blobs,
    views,
    application,
  }: MirroringOptions): Promise<Mirroring | undefined> {
    const { config, secrets } = loaded
    const { data, mirrors, produce } = config
    if (mirrors.length === 0) return undefined
    const live = liveOf(config, await loadPeers(config.peers))
    const folder = await SiteFolder.open(producedFolder(data))
    const about = config.site
    const producer = new Producer({
      application,
      site,
      media: { site, blobs },
      about,
      folder,
      live,
      base: produce.url,
      views,
      follows: true,
    })
    const distributor = new Distributor({ site: producer, mirrors, secrets: secrets.mirrors, data })
    return new Mirroring(config, producer, distributor)
  }

  /** Looks at everything once, as the node may have been away, and follows what changes. */
  start(): void {
    // What an earlier process has produced is whole: mirrors need not wait until it has been looked through.
    if (this.#producer.files.size > 0) this.#distribute()
    this.#producer.startOver()
    this.#producer.follow()
    // A page that cannot be made keeps no other from the mirrors.
    void this.#producer.whole.then(() => this.#distribute())
  }

  written(written: Written): void {
    this.#producer.written(written)
  }

  changed(change: Change): void {
    this.#producer.changed(change)
  }

  startOver(): void {
    this.#producer.startOver()
  }

  /** Pages name the nodes where forms are, which may be others now. */
  peersChanged(peers: readonly Peer[]): void {
    this.#producer.setLive(liveOf(this.#config, peers))
  }

  /** The folder is whole from here on: what is not in it may be taken off the mirrors. */
  #distribute(): void {
    if (this.#isStopped || this.#isDistributing) return
    this.#isDistributing = true
    this.#distributor.start()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isStopped = true
    await this.#producer[Symbol.asyncDispose]()
    await this.#distributor[Symbol.asyncDispose]()
  }
}

/** Where the forms are that a produced site has not: a node that is itself a mirror has none either. */
function liveOf({ produce, mirror, url }: Config, peers: readonly Peer[]): readonly string[] {
  if (produce.live.length > 0) return produce.live
  return mirror?.publishAt ?? liveNodes(url, peers)
}
