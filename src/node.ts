import { Attempts } from './accounts/attempts.ts'
import { Sharing } from './accounts/sharing.ts'
import type { Config, LoadedConfig } from './config/config.ts'
import { deployDesignDoc, readDesignDoc } from './couch/design-docs.ts'
import { ErasedFiles } from './erasure/erased-files.ts'
import { Eraser } from './erasure/eraser.ts'
import { gatewayRouter } from './gateway/gateway.ts'
import { Live } from './live/live.ts'
import { logger } from './log.ts'
import { pagesStatePath } from './pages/store/pages-state.ts'
import { mediaCommands } from './media/keep/commands.ts'
import { answerCommands } from './media/keep/requests.ts'
import { openMedia } from './media-of-node.ts'
import type { MediaOfNode } from './media-of-node.ts'
import type { Times } from './media/share/blob-network.ts'
import { policyOf } from './project/policy.ts'
import { Slow } from './newsroom/slow.ts'
import { Mirroring } from './mirrors-of-node.ts'
import { openNotices, openOffice } from './office-of-node.ts'
import { openPeople, setUpLink } from './people-of-node.ts'
import { PRODUCED } from './produce/rewrite.ts'
import { Projector } from './project/projector.ts'
import { SITE_DATABASE } from './project/rebuild.ts'
import { Site } from './project/site.ts'
import { Proxies } from './proxies/proxies.ts'
import { anchorsOf } from './replication/peers-file.ts'
import { createReplication } from './replication/replication.ts'
import type { Replication } from './replication/replication.ts'
import { StateFile } from './state-file.ts'
import { openStore } from './store.ts'
import type { Store } from './store.ts'
import { SearchIndex, searchFile } from './search/search-index.ts'
import { groupFeeds } from './syndication/group-feeds.ts'
import { GuardedFetch } from './syndication/guarded-fetch.ts'
import { FeedPuller, MOST_FEEDS } from './syndication/puller.ts'
import { Gate } from './web/abuse/gate.ts'
import { createApp } from './web/app.ts'
import type { WebContext } from './web/context.ts'
import { FileFront } from './web/file-front.ts'
import { KeptPages } from './web/kept-pages.ts'
import { Back } from './workers/back.ts'
import { openDoor } from './workers/door.ts'
import { LentFiles } from './web/lent-files.ts'
import { Mirror } from './web/mirror.ts'
import { awaitTurn } from './workers/turn.ts'

const log = logger('node')

/** How often a node asks the peers that share their people with it. */
const PEOPLE_EVERY_MS = 2000
/** How often a node writes down how its kept pages are. */
const PAGES_STATE_EVERY_MS = 2000

/** A node that runs. Disposing it stops everything in reverse order. */
export interface Node extends AsyncDisposable {
  /** Where it listens, e.g. http://127.0.0.1:8080 */
  readonly address: string
  readonly config: Readonly<Config>
  readonly store: Store
  readonly site: Site
  readonly media: MediaOfNode
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
  /** What takes another time than usual where files are shared, in tests. */
  times?: Partial<Times>
}

/**
 * Starts a node: data folder → store → site database → projector → replication and gateway → web. It resolves when
 * the node answers. Where several processes share one CouchDB, it first waits for its turn to write.
 *
 * @throws HyperactiveError one line that says which part could not start and what to do; or what the signal says, when it
 *   was stopped while it waited
 */
export async function startNode(
  loaded: LoadedConfig,
  { waiting = () => undefined, signal, times }: StartOptions = {},
): Promise<Node> {
  await using stack = new AsyncDisposableStack()
  const stop = new AbortController()
  stack.defer(() => stop.abort())

  const store = stack.use(await openStore(loaded))
  const { ledger, key, couch } = store
  const secret = key.derive('fronts').toString('base64url')
  const { views = {} } = await readDesignDoc(SITE_DATABASE)
  const back = stack.use(new Back(secret))
  stop.signal.addEventListener('abort', () => back[Symbol.dispose](), { once: true })
  const proxies = stack.use(new Proxies(loaded, { fronts: back }))
  const { memoryBytes, folder, fileBytes, cache } = loaded.config.pages
  const kept = stack.use(
    new KeptPages({
      mostBytes: memoryBytes,
      files: { folder, mostBytes: fileBytes },
      language: loaded.config.site.language,
      url: loaded.config.url,
      views,
      lifetimes: cache,
      outside: proxies,
    }),
  )
  // A web server may give out what an earlier run has left there, so that goes before any waiting.
  await kept.open()
  const shared = loaded.secrets.couchdbUrl !== undefined
  const stopping = AbortSignal.any([stop.signal, ...(signal ? [signal] : [])])
  const turn = shared
    ? await awaitTurn({ store, config: loaded.config, secret, waiting, signal: stopping })
    : undefined
  if (shared && !turn) stopping.throwIfAborted()
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
  let mirroring: Mirroring | undefined
  const site = new Site(siteDatabase, () => deployment.inForce())
  const members = () => projector.membership.members
  const media = stack.use(
    await openMedia(loaded, store, site, {
      membership: () => projector.membership,
      refusals: () => replication.refusals,
      signal: stop.signal,
      onLeaving: () => eraser.look(),
      ...(times ? { times } : {}),
    }),
  )
  stack.use(new StateFile(pagesStatePath(config.data), () => kept.state, PAGES_STATE_EVERY_MS))
  const live = config.live.on
    ? new Live({
        ...config.live,
        map: views.listing?.map ?? '',
        list: (scope, query) => site.list(scope, query),
      })
    : undefined
  kept.keepFrom(deployment.switched)
  // Pages that older views made, while new ones are being built, are not to stay.
  const startOver = () => {
    kept.clear()
    media.served.clear()
    mirroring?.startOver()
  }
  deployment.switched.then(startOver).catch(() => undefined)
  const projector = stack.use(
    new Projector({
      ledger,
      site: siteDatabase,
      deployment,
      index,
      policy,
      anchors: () => anchors,
      onWritten(written) {
        media.served.written(written)
        media.network.written(written)
        media.derivations?.written(written)
        kept.written(written)
        mirroring?.written(written)
        live?.written(written)
      },
      onStartOver() {
        startOver()
        live?.lookAgain()
      },
      erasureDue: () => eraser.look(),
    }),
  )
  await projector.open()
  // Filling the search index may have taken so long that another process has taken over.
  lease?.lost.throwIfAborted()

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
        // There are no accounts on a mirror.
        await sharing.follow(config.mirror ? [] : peers)
        anchors = await anchorsOf(config, key.publicKey)
        projector.anchorsChanged()
        mirroring?.peersChanged(peers)
        await media.network.follow(peers)
      },
    }),
  )
  const gateway = gatewayRouter({
    ledger,
    callers: replication.callers,
    membership: () => projector.membership,
    limits: config.limits,
    refusals: replication.refusals,
    isMirror: config.mirror !== undefined,
    people: (peer) => sharing.forPeer(peer),
    files: (router) => media.network.mount(router),
    confirmed: (peer, seq) => replication.confirmations.add(peer, seq),
    stored: (count) => projector.makeWay(count),
    signal: stop.signal,
  })
  const office = await openOffice(store, { site, policy, config, signal: stop.signal })
  const slow = await Slow.open(office.database)
  const ledgerDatabase = couch.database('ledger')
  const { book } = media.keeper
  const eraser = stack.use(
    new Eraser({
      ledger,
      ledgerDatabase,
      files: new ErasedFiles({ ...media, ledger: ledgerDatabase, site, book }),
      site,
      drained: () => projector.drained(),
      gone: (ids) => projector.gone(ids),
      warm: () => deployment.warm(),
      index,
      policy,
      office,
    }),
  )
  const lent = new LentFiles({ url: config.url, outside: proxies, lifetimes: cache })
  const pages = {
    ledger,
    site,
    index,
    terms: () => projector.terms,
    version: () => kept.store.now,
    nodeKey: key,
    policy,
    gate: new Gate(config, slow),
    slow,
    queue: office.queue,
    notes: office.notes,
    filters: office.filters,
    media: { ...media, lent },
    people,
    access,
    live,
    attempts: new Attempts(),
    settled: (documentId) => projector.settled(documentId),
    holdings: (ids) => replication.holdings(ids),
  } satisfies Partial<WebContext>
  const app = createApp({
    ...pages,
    config,
    files: media.desk,
    members,
    // A mirror invites nobody.
    before: config.mirror ? [gateway] : [gateway, replication.router],
    mirror: config.mirror && new Mirror(config.mirror.publishAt),
    heard: () => back.heard(),
    ...(memoryBytes > 0 ? { kept } : {}),
  })
  const copied = createApp({
    ...pages,
    config: { ...config, url: PRODUCED },
    media: { ...media, lent: new LentFiles({ url: PRODUCED, lifetimes: cache }) },
    members: () => [],
    // Nobody tells a file what comes.
    live: undefined,
  })
  mirroring = await Mirroring.open({
    loaded,
    site,
    blobs: media.network,
    views,
    application: copied.callback(),
  })
  if (mirroring) stack.use(mirroring)
  const setUp = config.mirror ? undefined : await setUpLink({ people, access })
  await reading?.[Symbol.asyncDispose]()
  stack.defer(() => kept.stopRenewing())
  const door = await openDoor(app.callback(), {
    back,
    kept,
    files: new FileFront({ ...media, lent }),
    config,
    secret,
  })
  const { address } = stack.use(door)
  await lease?.announce(config.web.reachableAt ?? address)
  // Before the server waits for its connections to end.
  if (live) stack.use(live)
  await store.folder?.announce({
    processId: process.pid,
    address,
    storeUrl: store.couchUrl,
    prefix: store.prefix,
  })

  await proxies.start()
  projector.start()
  media.uploads?.start(async (sha256) => {
    // An item that is not projected yet may have it.
    await projector.drained()
    return (await site.file(sha256)) !== undefined
  })
  mirroring?.start()
  media.derivations?.start(projector.drained())
  eraser.start()
  media.keeper.start()
  const answering = answerCommands(book, mediaCommands(media), stop.signal)
  stack.defer(() => answering)
  // On a mirror nobody moderates, and no filter decides.
  if (!config.mirror) {
    stack.use(office.watcher).start()
    stack.use(openNotices(office, loaded, address)).start()
  }
  const onPulled = (id: string) => {
    const change = { documents: [id], rows: [], names: [] }
    kept.changed(change)
    mirroring?.changed(change)
  }
  if (config.feeds.pull) stack.use(feedPuller(config.feeds, site, onPulled)).start()
  media.network.start()
  await replication.start(address)
  log.debug('the node answers', { address })
  const running = stack.move()
  return {
    address,
    config,
    store,
    site,
    media,
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

function feedPuller(
  { every, allow }: Config['feeds'],
  site: Site,
  onWritten: (id: string) => void,
): FeedPuller {
  return new FeedPuller({
    site: site.database,
    fetch: new GuardedFetch({ allow: (ip) => allow.includes(ip) }),
    feeds: () => groupFeeds(site, MOST_FEEDS),
    onWritten,
    everyMs: every * 60_000,
  })
}
