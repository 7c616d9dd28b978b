import { Access, ACCESS_DATABASE } from './accounts/access.ts'
import { Attempts } from './accounts/attempts.ts'
import { People, PEOPLE_DATABASE } from './accounts/people.ts'
import type { Config, LoadedConfig } from './config/config.ts'
import { deployDesignDoc } from './couch/design-docs.ts'
import { gatewayRouter } from './gateway/gateway.ts'
import { logger } from './log.ts'
import { policyOf } from './project/policy.ts'
import { Projector } from './project/projector.ts'
import { SITE_DATABASE } from './project/rebuild.ts'
import { Site } from './project/site.ts'
import { anchorsOf } from './replication/peers-file.ts'
import { createReplication } from './replication/replication.ts'
import type { Replication } from './replication/replication.ts'
import { openStore } from './store.ts'
import type { Store } from './store.ts'
import { SearchIndex, searchFile } from './search/search-index.ts'
import { groupFeeds } from './syndication/group-feeds.ts'
import { GuardedFetch } from './syndication/guarded-fetch.ts'
import { FeedPuller, MOST_FEEDS } from './syndication/puller.ts'
import { createApp } from './web/app.ts'
import { listen } from './web/listen.ts'

const log = logger('node')

/** A node that runs. Disposing it stops everything in reverse order. */
export interface Node extends AsyncDisposable {
  /** Where it listens, e.g. http://127.0.0.1:8080 */
  readonly address: string
  readonly config: Readonly<Config>
  readonly store: Store
  readonly site: Site
  readonly projector: Projector
  readonly replication: Replication
  /** The secret of the link by which the first administrator is made, while there is none. */
  readonly setUp: string | undefined
}

/**
 * Starts a node: data folder → store → site database → projector → replication and gateway → web. It resolves when
 * the node answers.
 *
 * @throws HyperactiveError one line that says which part could not start and what to do
 */
export async function startNode(loaded: LoadedConfig): Promise<Node> {
  const { config } = loaded
  await using stack = new AsyncDisposableStack()
  const stop = new AbortController()
  stack.defer(() => stop.abort())

  const store = stack.use(await openStore(loaded))
  const { ledger, key, couch } = store
  const siteDatabase = await couch.ensureDatabase(SITE_DATABASE)
  const deployment = await deployDesignDoc(siteDatabase, { signal: stop.signal })

  const policy = policyOf(config, key.publicKey)
  const index = stack.use(SearchIndex.open(searchFile(config.data)))
  let anchors = await anchorsOf(config, key.publicKey)
  const projector = stack.use(
    new Projector({ ledger, site: siteDatabase, deployment, index, policy, anchors: () => anchors }),
  )
  await projector.open()

  const replication = stack.use(
    await createReplication({
      config,
      ledger,
      couch,
      couchdb: loaded.secrets.couchdbUrl !== undefined,
      key,
      async onPeers() {
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
    confirmed: (peer, seq) => replication.confirmations.add(peer, seq),
    stored: (count) => projector.makeWay(count),
    signal: stop.signal,
  })
  const { people, access } = await openPeople(store, stop.signal)
  const site = new Site(siteDatabase, () => deployment.inForce())
  const app = createApp({
    ledger,
    site,
    index,
    terms: () => projector.terms,
    version: () => projector.batches,
    config,
    nodeKey: key,
    policy,
    people,
    access,
    attempts: new Attempts(),
    settled: (documentId) => projector.settled(documentId),
    holdings: (ids) => replication.holdings(ids),
    before: [gateway, replication.router],
  })
  const setUp = await setUpLink({ people, access })
  const { address } = stack.use(await listen(app.callback(), config))
  await store.folder?.announce({
    processId: process.pid,
    address,
    storeUrl: store.couchUrl,
    prefix: store.prefix,
  })

  projector.start()
  if (config.feeds.pull) stack.use(feedPuller(config.feeds, site)).start()
  await replication.start(address)
  log.debug('the node answers', { address })
  const running = stack.move()
  return {
    address,
    config,
    store,
    site,
    projector,
    replication,
    setUp,
    async [Symbol.asyncDispose]() {
      stop.abort()
      await running.disposeAsync()
    },
  }
}

/** The accounts of a node and who is signed in, in databases of their own. */
export async function openPeople(
  { couch, ledger }: Pick<Store, 'couch' | 'ledger'>,
  signal?: AbortSignal,
): Promise<{ people: People; access: Access }> {
  const { clock } = ledger
  const options = signal ? { signal } : {}
  const [people, access] = await Promise.all(
    [PEOPLE_DATABASE, ACCESS_DATABASE].map(async (name) => {
      const database = await couch.ensureDatabase(name)
      return { database, deployment: await deployDesignDoc(database, options) }
    }),
  )
  if (!people || !access) throw new Error('there are two databases')
  const accounts = new People(people.database, people.deployment, clock)
  return {
    people: accounts,
    access: new Access(access.database, { deployment: access.deployment, people: accounts, clock }),
  }
}

/** A node that nobody administers gives out one link to change that; each start makes the former one worthless. */
export async function setUpLink({
  people,
  access,
}: {
  people: People
  access: Access
}): Promise<string | undefined> {
  if (await people.hasAdministrator()) return undefined
  await access.forgetLinks('set-up')
  return access.makeLink({ purpose: 'set-up', roles: ['administrator'], groups: [] })
}

function feedPuller({ every, allow }: Config['feeds'], site: Site): FeedPuller {
  return new FeedPuller({
    site: site.database,
    fetch: new GuardedFetch({ allow: (ip) => allow.includes(ip) }),
    feeds: () => groupFeeds(site, MOST_FEEDS),
    everyMs: every * 60_000,
  })
}
