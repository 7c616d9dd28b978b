import { randomUUID } from 'node:crypto'
import type { DatabaseSync } from 'node:sqlite'
import type { Config } from '../../config/config.ts'
import type { RefusalLog } from '../../gateway/refusals.ts'
import type { SigningKey } from '../../ledger/keys.ts'
import type { Ledger } from '../../ledger/ledger.ts'
import { logger } from '../../log.ts'
import type { Membership } from '../../project/membership.ts'
import type { Site } from '../../project/site.ts'
import type { BlobDriver } from '../blobs/driver.ts'
import { Answers } from './answers.ts'
import { BlobHere } from './blob-here.ts'
import { Changes } from './changes.ts'
import { Dropping } from './dropping.ts'
import { Fetches } from './fetches.ts'
import { Files } from './files.ts'
import { Holdings } from './holdings.ts'
import { Intake } from './intake.ts'
import { Keeping } from './keeping.ts'
import { Lines } from './lines.ts'
import { Manifests } from './manifests.ts'
import { OwnLog } from './own-log.ts'
import { Present } from './present.ts'
import { notHere } from './problems.ts'
import type { Keeper, Wanted } from './rank.ts'
import { Reception } from './reception.ts'
import { Roads } from './roads.ts'
import { holdingsFile, openHoldings } from './schema.ts'
import { Rooms } from './rooms.ts'
import { Scrubber } from './scrubber.ts'
import { SiteLook } from './site-look.ts'

const log = logger('media')

/** What may take another time than usual, in tests. */
export interface Times {
  /** A node says that it is alive this often. */
  signMs: number
  /** One that has not for so long counts as gone. */
  lostMs: number
  /** Nothing is dropped for so long after the start: see {@link Dropping}. */
  graceMs: number
  /** A reader waits so long for the first bytes, and then for the next ones. */
  patienceMs: { first: number; next: number }
  /** A file that no peer has is asked for through the peers after so long. */
  relayMs: number
  /** What does not fit any more is looked for this often. */
  fitMs: number
}

const TIMES: Times = {
  signMs: 10 * 60_000,
  lostMs: 3 * 24 * 60 * 60_000,
  graceMs: 60 * 60_000,
  patienceMs: { first: 20_000, next: 30_000 },
  relayMs: 10_000,
  fitMs: 30_000,
}

export interface BlobNetworkOptions {
  config: Pick<Config, 'data' | 'media' | 'mirror' | 'replication' | 'limits'>
  driver: BlobDriver
  ledger: Ledger
  key: SigningKey
  site: Site
  membership: () => Membership
  /** Whether readers get a file. */
  isPublic: (sha256: string) => Promise<boolean>
  /** Where it is told that a peer has sent something false. */
  refusals: () => Pick<RefusalLog, 'add'>
  times?: Partial<Times>
  /** Aborts when the node is about to stop: nothing more begins then. */
  signal?: AbortSignal
}

/** The parts of a {@link BlobNetwork}. */
export interface Parts {
  times: Times
  wanted: Wanted
  driver: BlobDriver
  database: DatabaseSync
  holdings: Holdings
  files: Files
  ownLog: OwnLog
  present: Present
  lines: Lines
  manifests: Manifests
  here: BlobHere
  fetches: Fetches
  reception: Reception
  dropping: Dropping
  keeping: Keeping
  scrubber: Scrubber
  look: SiteLook
}

/** Makes the parts, and has each know what it needs of the others. */
export function assemble(options: BlobNetworkOptions, signal: AbortSignal): Parts {
  const { config, driver, ledger, key, site, membership, isPublic, refusals } = options
  const { media, mirror, replication, limits } = config
  const times = { ...TIMES, ...options.times }
  const wanted = { copies: media.copies, jurisdictions: media.jurisdictions }
  const about = { jurisdiction: media.jurisdiction, keepsAll: media.keep === 'all' }
  const node = key.publicKey
  // Nobody counts on a mirror's copies.
  const own: Keeper | undefined = mirror ? undefined : { key: node, ...about }
  const isMember = (one: string) => membership().isMember(one)
  const isAhead = (at: string) => ledger.clock.aheadMs(at) > limits.clockAheadMs

  const database = openHoldings(holdingsFile(config.data))
  const holdings = new Holdings(database)
  const files = new Files(database)
  const changes = new Changes()
  /** It is another matter now where these files are. */
  const moved = (digests: readonly string[]) => {
    files.setDue(digests, Date.now())
    changes.tell()
    present.look()
    keeping.wake()
    fetches.step()
  }
  const ownLog = new OwnLog({ ...about, holdings, key, clock: ledger.clock, onSaid: moved })
  const intake = new Intake({
    holdings,
    own: node,
    speaks: !mirror,
    members: () => membership().members,
    isAhead,
    known: () => files.count,
    onTaken: moved,
    onForgotten: (epoch) => ownLog.restart(epoch),
  })
  const lookAtAll = (missingOnly: boolean) => {
    files
      .setAllDue(Date.now(), { missingOnly })
      .then(() => {
        keeping.wake()
        fetches.step()
      })
      .catch(() => undefined)
  }
  const present: Present = new Present({
    holdings,
    own: node,
    isListenedTo: (one) => intake.isListenedTo(one),
    lostMs: times.lostMs,
    onChange: () => lookAtAll(false),
  })
  const manifests = new Manifests({ ledger, site, driver })
  const isDamaged = (sha256: string) => scrubber.damaged.has(sha256)
  const here = new BlobHere({ driver, log: ownLog, files, manifests, isDamaged })
  const lines: Lines = new Lines({
    key,
    now: () => ledger.clock.now(),
    holdings,
    intake,
    changes,
    longestPauseMs: replication.longestPauseMs,
    idleTimeoutMs: replication.idleTimeoutMs,
    onAsk: (line, number, ask) => void reception.answer(line, number, ask),
    onChange: () => lookAtAll(true),
  })
  const roads = new Roads({
    own: node,
    lines: () => lines.all,
    holders: (sha256) => holdings.holders(sha256),
    keepsAll: (one) => present.keeper(one)?.keepsAll === true,
    manifests,
    driver,
    fetchOf: (sha256) => fetches.get(sha256),
    relayMs: times.relayMs,
  })
  const rooms = new Rooms()
  const fetches: Fetches = new Fetches({
    driver,
    rooms,
    sources: (sha256) => roads.sources(sha256),
    bytesPerSecond: media.peerBytesPerSecond,
    onWhole: (sha256) => here.came(sha256),
    onRefused: (manifest) => manifests.refuse(manifest),
    onFalse: ({ peer }, reason, sha256) => {
      log.warn('a peer has sent something else than it was asked for', { peer })
      refusals().add({ caller: peer, id: `file:${sha256}`, code: 'forbidden', reason })
    },
  })
  const answers = new Answers({
    key,
    about,
    driver,
    rooms,
    manifests,
    mayHave: async (one, sha256) => (one !== undefined && isMember(one)) || isPublic(sha256),
    isMember,
    holds: (sha256) => ownLog.holds(sha256) && !isDamaged(sha256),
    lines: () => lines.all,
    relay: (ask, until) => roads.relay(ask, until),
    onDamaged: (sha256) => void scrubber.lookAt(sha256),
  })
  const reception: Reception = new Reception({
    key,
    run: randomUUID(),
    holdings,
    intake,
    changes,
    lines,
    answers,
    isMember,
    isStale: (at) => Math.abs(ledger.clock.aheadMs(at)) > limits.clockAheadMs,
    rateTo: (peer) => fetches.rates(peer).out,
    onSent: (peer, bytes) => fetches.count(peer, 'out', bytes),
    signal,
  })
  const dropping = new Dropping({
    own,
    node,
    wanted,
    answers,
    driver,
    lines: () => lines.all,
    isPresent: (one) => present.keeper(one) !== undefined,
    isInUse: (sha256) => fetches.get(sha256) !== undefined,
    remove: (sha256) => here.remove(sha256),
    graceMs: times.graceMs,
    signal,
  })
  const keeping: Keeping = new Keeping({
    files,
    keep: media.keep,
    wanted,
    own,
    others: () => present.others,
    holders: (sha256) => present.among(holdings.holders(sha256)),
    isHere: (sha256) => here.isHere(sha256),
    hasRoom: () => fetches.hasRoom,
    fetch: async (sha256) => {
      const manifest = await manifests.of(sha256)
      if (!manifest) throw notHere(sha256)
      return fetches.begin(manifest)
    },
    waitMs: (sha256) => roads.waitMs(sha256),
    drop: (digests) => dropping.drop(digests),
    fitMs: times.fitMs,
  })
  const scrubber: Scrubber = new Scrubber({
    driver,
    files,
    bytesPerSecond: media.scrubBytesPerSecond,
    lookAt: (sha256) => here.lookAt(sha256),
    mend: (damage) =>
      here.mend(damage, {
        isElsewhere: present.among(holdings.holders(damage.sha256)).length > 0,
        fetch: (manifest, pieces) => fetches.begin(manifest, pieces),
      }),
    onDamage: ({ sha256 }, isMended) => ownLog.note(sha256, isMended),
  })
  const look = new SiteLook({
    site,
    files,
    onNamed: () => keeping.wake(),
    onGone: (sha256) => {
      files.remove(sha256)
      void fetches.stop(sha256).then(() => here.dropPieces(sha256))
    },
  })
  return {
    times,
    wanted,
    driver,
    database,
    holdings,
    files,
    ownLog,
    present,
    lines,
    manifests,
    here,
    fetches,
    reception,
    dropping,
    keeping,
    scrubber,
    look,
  }
}
