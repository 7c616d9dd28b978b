import { Attempts } from './accounts/attempts.ts'
import { Sharing } from './accounts/sharing.ts'
import type { Config, LoadedConfig } from './config/config.ts'
import { deployDesignDoc, readDesignDoc } from './couch/design-docs.ts'
import { Eraser } from './erasure/eraser.ts'
import { gatewayRouter } from './gateway/gateway.ts'
import { logger } from './log.ts'
import { policyOf } from './project/policy.ts'
import { Slow } from './newsroom/slow.ts'
import { openNotices, openOffice } from './office-of-node.ts'
import { openPeople, setUpLink } from './people-of-node.ts'
import { Projector } from './project/projector.ts'
import { SITE_DATABASE } from './project/rebuild.ts'
import { Site } from './project/site.ts'
import { TERMS } from './project/site-writer.ts'
import { Proxies } from './proxies/proxies.ts'
import { noteName } from './reads.ts'
import { anchorsOf } from './replication/peers-file.ts'
import { createReplication } from './replication/replication.ts'
import type { Replication } from './replication/replication.ts'
import { openStore } from './store.ts'
import type { Store } from './store.ts'
import { SearchIndex, searchFile } from './search/search-index.ts'
import { groupFeeds } from './syndication/group-feeds.ts'
import { GuardedFetch } from './syndication/guarded-fetch.ts'
import { FeedPuller, MOST_FEEDS } from './syndication/puller.ts'
import { Gate } from './web/abuse/gate.ts'
import { createApp } from './web/app.ts'
import { KeptPages } from './web/kept-pages.ts'
import { afterFronts } from './workers/after-fronts.ts'
import { Back } from './workers/back.ts'
import { openDoor } from './workers/door.ts'
import { awaitTurn } from './workers/turn.ts'

const log = logger('node')

/** How often a node asks the peers that share their people with it. */
const PEOPLE_EVERY_MS = 2000

/** A node that runs. Disposing it stops everything in reverse order. */
export interface Node extends AsyncDisposable {
  /** Where it listens, e.g. http://127.0.0.1:8080 */
  readonly address: string
  readonly config: Readonly<Config>
  readonly store: Store
  readonly site: Site
  readonly projector: Projector
  /** Pages as readers without a session get them. */
  readonly kept: KeptPages
  readonly replication: Replication
  /** The secret of the link by which the first administrator is made, while there is none. */
  readonly setUp: string | undefined
  /** Aborts when another process may write on this node's store: this one is to end at once. */
  readonly lost: AbortSignal | undefined
}

export interface StartOptions {
  /** Told where this process answers while another one on the same CouchDB writes. */
  waiting?: (address: string) => void
  /** Aborting it while it waits for its turn ends that. */
  signal?: AbortSignal
}

/**
 * Starts a node: data folder → store → site database → projector → replication and gateway → web. It resolves when
 * the node answers. Where several processes share one CouchDB, it first waits for its turn to write.
 *
 * @returns undefined when it was stopped while it waited
 * @throws HyperactiveError one line that says which part could not start and what to do
 */
export async function startNode(
  loaded: LoadedConfig,
  { waiting = () => undefined, signal }: StartOptions = {},
): Promise<Node | undefined> {
  await using stack = new AsyncDisposableStack()
  const stop = new AbortController()
  stack.defer(() => stop.abort())

  const store = stack.use(await openStore(loaded))
  const { ledger, key, couch } = store
  const secret = key.derive('fronts').toString('base64url')
  const shared = loaded.secrets.couchdbUrl !== undefined
  const stopping = AbortSignal.any([stop.signal, ...(signal ? [signal] : [])])
  const turn = shared
    ? await awaitTurn({ store, config: loaded.config, secret, waiting, signal: stopping })
    : undefined
  if (shared && !turn) return undefined
  const { lease, reading } = turn ?? {}
  if (lease) stack.use(lease)
  if (reading) stack.use(reading)
  // Readers go on asking at the same port.
  const port = reading ? Number(new URL(reading.address).port) : loaded.config.port
  const config = { ...loaded.config, port }
  const siteDatabase = await couch.ensureDatabase(SITE_DATABASE)
  const deployment = await deployDesignDoc(siteDatabase, { signal: stop.signal })

  const policy = policyOf(config, key.publicKey)
  const index = stack.use(SearchIndex.open(searchFile(config.data)))
  let anchors = await anchorsOf(config, key.publicKey)
  const proxies = stack.use(new Proxies(loaded))
  const back = stack.use(new Back(secret))
  stop.signal.addEventListener('abort', () => back[Symbol.dispose](), { once: true })
  const { memoryBytes, folder, fileBytes, cache } = config.pages
  const kept = stack.use(
    new KeptPages({
      mostBytes: memoryBytes,
      files: { folder, mostBytes: fileBytes },
      language: config.site.language,
      url: config.url,
      views: (await readDesignDoc(SITE_DATABASE)).views ?? {},
      lifetimes: cache,
      outside: afterFronts(proxies, back),
    }),
  )
  await kept.open()
  // Pages that older views made, while new ones are being built, are not to stay.
  deployment.switched.then(() => kept.clear()).catch(() => undefined)
  const projector = stack.use(
    new Projector({
      ledger,
      site: siteDatabase,
      deployment,
      index,
      policy,
      anchors: () => anchors,
      onWritten: (written) => kept.written(written),
      onStartOver: () => kept.clear(),
      erasureDue: () => eraser.look(),
    }),
  )
  await projector.open()

  const { people, access } = await openPeople(store, stop.signal)
  const sharing = stack.use(
    new Sharing({
      people,
      everyMs: PEOPLE_EVERY_MS,
      idleTimeoutMs: config.replication.idleTimeoutMs,
      isAhead: (at) => ledger.clock.aheadMs(at) > config.limits.clockAheadMs,
    }),
  )
  const replication = stack.use(
    await createReplication({
      config,
      ledger,
      couch,
      couchdb: loaded.secrets.couchdbUrl !== undefined,
      key,
      async onPeers(peers) {
        await sharing.follow(peers)
        anchors = await anchorsOf(config, key.publicKey)
        projector.anchorsChanged()
      },
    }),
  )
  const gateway = gatewayRouter({
    ledger,
    callers: replication.callers,
    membership: () => projector.membership,
    limits: config.limits,
    refusals: replication.refusals,
    people: (peer) => sharing.forPeer(peer),
    confirmed: (peer, seq) => replication.confirmations.add(peer, seq),
    stored: (count) => projector.makeWay(count),
    signal: stop.signal,
  })
  const site = new Site(siteDatabase, () => deployment.inForce())
  const office = await openOffice(store, { site, policy, config, signal: stop.signal })
  const slow = await Slow.open(office.database)
  const eraser = stack.use(
    new Eraser({
      ledger,
      ledgerDatabase: couch.database('ledger'),
      site,
      drained: () => projector.drained(),
      gone: (ids) => projector.gone(ids),
      warm: () => deployment.warm(),
      index,
      policy,
      office,
    }),
  )
  const app = createApp({
    ledger,
    site,
    index,
    terms() {
      noteName(TERMS)
      return projector.terms
    },
    version: () => kept.store.now,
    config,
    nodeKey: key,
    policy,
    members: () => projector.membership.members,
    gate: new Gate(config, slow),
    slow,
    queue: office.queue,
    notes: office.notes,
    filters: office.filters,
    people,
    access,
    attempts: new Attempts(),
    settled: (documentId) => projector.settled(documentId),
    holdings: (ids) => replication.holdings(ids),
    before: [gateway, replication.router],
    heard: () => back.heard(),
    ...(memoryBytes > 0 ? { kept } : {}),
  })
  const setUp = await setUpLink({ people, access })
  await reading?.[Symbol.asyncDispose]()
  const door = await openDoor(app.callback(), { back, kept, config, secret })
  const { address } = stack.use(door)
  await lease?.announce(config.web.reachableAt ?? address)
  await store.folder?.announce({
    processId: process.pid,
    address,
    storeUrl: store.couchUrl,
    prefix: store.prefix,
  })

  await proxies.start()
  projector.start()
  eraser.start()
  stack.use(office.watcher).start()
  stack.use(openNotices(office, loaded, address)).start()
  if (config.feeds.pull) stack.use(feedPuller(config.feeds, site, kept)).start()
  await replication.start(address)
  log.debug('the node answers', { address })
  const running = stack.move()
  return {
    address,
    config,
    store,
    site,
    projector,
    kept,
    replication,
    setUp,
    lost: lease?.lost,
    async [Symbol.asyncDispose]() {
      stop.abort()
      await running.disposeAsync()
    },
  }
}

function feedPuller({ every, allow }: Config['feeds'], site: Site, kept: KeptPages): FeedPuller {
  return new FeedPuller({
    site: site.database,
    fetch: new GuardedFetch({ allow: (ip) => allow.includes(ip) }),
    feeds: () => groupFeeds(site, MOST_FEEDS),
    onWritten: (id) => kept.changed({ documents: [id], rows: [], names: [] }),
    everyMs: every * 60_000,
  })
}
