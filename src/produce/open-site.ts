import type { RequestListener } from 'node:http'
import { Attempts } from '../accounts/attempts.ts'
import type { LoadedConfig } from '../config/config.ts'
import { deployDesignDoc, designInForce } from '../couch/design-docs.ts'
import { GatheredReads } from '../couch/gathered-reads.ts'
import { Slow } from '../newsroom/slow.ts'
import { openOffice } from '../office-of-node.ts'
import { openPeople } from '../people-of-node.ts'
import { policyOf } from '../project/policy.ts'
import { openBlobs } from '../media/blobs/open.ts'
import { ServedFiles } from '../media/served-files.ts'
import { Projector } from '../project/projector.ts'
import { SITE_DATABASE } from '../project/rebuild.ts'
import { Site } from '../project/site.ts'
import type { SiteItem } from '../project/site-item.ts'
import { Terms } from '../project/terms.ts'
import { anchorsOf } from '../replication/peers-file.ts'
import { SearchIndex, searchFile } from '../search/search-index.ts'
import type { Store } from '../store.ts'
import { Gate } from '../web/abuse/gate.ts'
import { createApp } from '../web/app.ts'
import { LentFiles } from '../web/lent-files.ts'
import { PRODUCED } from './rewrite.ts'
import type { SiteMedia } from './site-media.ts'

/** Queries of views whose rows are kept: pages have many in common, such as the newest of a tag. */
const REMEMBERED = 2000

/** Pages to be made at the same time, where nobody waits for anything else that the process does. */
export const PAGES_AT_ONCE = 64

/** A node's site as a command sees it: beside the node that runs, or instead of it. */
export interface OpenSite extends AsyncDisposable {
  site: Site
  index: SearchIndex
  terms: Terms
  application: RequestListener
  media: SiteMedia
  /** To be called when the site has changed. */
  changed: () => void
}

/** Opens a node's site for reading. Where no node runs, everything that its ledger holds is projected first. */
export async function openSite(store: Store, { config, secrets }: LoadedConfig): Promise<OpenSite> {
  await using stack = new AsyncDisposableStack()
  const stop = new AbortController()
  stack.defer(() => stop.abort())
  const { ledger, couch, key } = store
  const policy = policyOf(config, key.publicKey)
  const database = await couch.ensureDatabase(SITE_DATABASE)
  let design = await designInForce(database)
  let index: SearchIndex
  if (store.folder) {
    index = stack.use(SearchIndex.open(searchFile(config.data)))
    const deployment = await deployDesignDoc(database, { signal: stop.signal })
    const anchors = await anchorsOf(config, key.publicKey)
    await using projector = new Projector({
      ledger,
      site: database,
      deployment,
      index,
      policy,
      anchors: () => anchors,
    })
    await projector.open()
    await projector.catchUp()
    design = deployment.inForce()
  } else index = stack.use(SearchIndex.reading(searchFile(config.data)))
  const reads = new GatheredReads(database, REMEMBERED)
  const site = new Site(database, () => design ?? '', reads)
  const terms = await readTerms(site, design ?? '')
  const { people, access } = await openPeople(store, stop.signal)
  const office = await openOffice(store, { site, policy, config, signal: stop.signal })
  const slow = await Slow.open(office.database)
  const { data, media } = config
  const blobs = stack.use(await openBlobs(media.store, secrets.media ?? {}, { data, couch }))
  const served = new ServedFiles(site)
  const lent = new LentFiles({ url: PRODUCED, lifetimes: config.pages.cache })
  let version = 0
  const app = createApp({
    ledger,
    site,
    index,
    terms: () => terms,
    media: { blobs, served, network: blobs, lent },
    version: () => version,
    config: { ...config, url: PRODUCED },
    nodeKey: key,
    policy,
    members: () => [],
    gate: new Gate(config, slow),
    slow,
    queue: office.queue,
    notes: office.notes,
    filters: office.filters,
    people,
    access,
    attempts: new Attempts(),
    settled: () => Promise.resolve(),
    holdings: () => Promise.resolve({}),
  })
  const opened = stack.move()
  return {
    site,
    index,
    terms,
    media: { site, blobs },
    application: app.callback(),
    changed() {
      reads.forget()
      served.clear()
      version += 1
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

async function readTerms({ database }: Site, design: string): Promise<Terms> {
  const terms = new Terms()
  const range = { startkey: ['kind:term'], endkey: ['kind:term', '\ufff0'], include_docs: true }
  const { rows } = await database.view(design, 'listing', range)
  for (const { doc } of rows) if (doc) terms.take(doc as unknown as SiteItem)
  return terms
}
