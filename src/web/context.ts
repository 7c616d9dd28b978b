import type { Access } from '../accounts/access.ts'
import type { Attempts } from '../accounts/attempts.ts'
import type { People } from '../accounts/people.ts'
import type { Config } from '../config/config.ts'
import type { SigningKey } from '../ledger/keys.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { BlobDriver } from '../media/blobs/driver.ts'
import type { FilesDesk } from '../media/keep/desk.ts'
import type { ServedFiles } from '../media/served-files.ts'
import type { BlobNetwork } from '../media/share/blob-network.ts'
import type { Uploads } from '../media/uploads/uploads.ts'
import type { Slow } from '../newsroom/slow.ts'
import type { FilterDesk } from '../newsroom/filters/desk.ts'
import type { Notes } from '../newsroom/notes.ts'
import type { Queue } from '../newsroom/queue.ts'
import type { Policy } from '../project/policy.ts'
import type { Terms } from '../project/terms.ts'
import type { Holding } from '../replication/arrivals.ts'
import type { Site } from '../project/site.ts'
import type { Live } from '../live/live.ts'
import type { SearchIndex } from '../search/search-index.ts'
import type { LentFiles } from './lent-files.ts'
import type { Mirror } from './mirror.ts'
import type { Gate } from './abuse/gate.ts'

/** What the routes work with. */
export interface WebContext {
  ledger: Ledger
  site: Site
  /** Where files are, here and elsewhere, which of them readers get, and how long others may keep them. */
  media: {
    blobs: BlobDriver
    served: ServedFiles
    network: Pick<BlobNetwork, 'read'>
    lent: LentFiles
    /** What comes with forms. */
    uploads?: Uploads | undefined
  }
  /** For the room where files are looked after; there is none where nobody is signed in. */
  files?: FilesDesk | undefined
  index: SearchIndex
  /** The vocabularies as editors have ordered them. */
  terms: () => Terms
  /** The keys of the network's members. */
  members: () => readonly string[]
  /** Counts up when the site database has changed. */
  version: () => number
  config: Pick<Config, 'site' | 'url' | 'limits' | 'mirror'>
  nodeKey: SigningKey
  policy: Policy
  /** Everything that readers and authors send goes through it. */
  gate: Gate
  slow: Slow
  queue: Queue
  notes: Notes
  filters: FilterDesk
  people: People
  /** Set on a node that is only read. */
  mirror?: Mirror | undefined
  /** Tells open pages of new entries, where that is switched on. */
  live?: Live | undefined
  access: Access
  attempts: Attempts
  /** Resolves when a ledger document has been projected, or after a bound: whoever publishes sees it at once. */
  settled: (documentId: string) => Promise<void>
  /** Which peers are known to hold all of these ledger documents. */
  holdings: (ids: readonly string[]) => Promise<Record<string, Holding>>
}
