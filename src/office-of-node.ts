import type { Config, LoadedConfig } from './config/config.ts'
import type { Database } from './couch/database.ts'
import { deployDesignDoc } from './couch/design-docs.ts'
import type { ErasureTarget } from './erasure/order.ts'
import { chooseLanguage } from './i18n/choose.ts'
import { wordingOf } from './i18n/wording.ts'
import type { Hands } from './newsroom/filters/act.ts'
import { FilterDesk } from './newsroom/filters/desk.ts'
import { Filters } from './newsroom/filters/filters.ts'
import { Matches } from './newsroom/filters/matches.ts'
import { Looked } from './newsroom/looked.ts'
import { Notes } from './newsroom/notes.ts'
import { mail } from './newsroom/notices/mail.ts'
import { Notices } from './newsroom/notices/notices.ts'
import type { Channel } from './newsroom/notices/notices.ts'
import { webhook } from './newsroom/notices/webhook.ts'
import { Queue } from './newsroom/queue.ts'
import { OFFICE_DATABASE, Reports } from './newsroom/reports.ts'
import { Watcher } from './newsroom/watcher.ts'
import type { Policy } from './project/policy.ts'
import type { Site } from './project/site.ts'
import type { Store } from './store.ts'

/** What moderators of this node work with; none of it is in the ledger. */
export interface Office {
  queue: Queue
  notes: Notes
  filters: FilterDesk
  /** Lets the filters act on what is published; to be started. */
  watcher: Watcher
  database: Database
  /** Brings the views up to date. */
  warm: () => Promise<void>
  /** Removes what was said here about something that is erased; gives whether there was anything. */
  forget: (target: ErasureTarget) => Promise<boolean>
}

/** Opens the office of a node, in a database of its own. */
export async function openOffice(
  { couch, ledger, key }: Pick<Store, 'couch' | 'ledger' | 'key'>,
  {
    site,
    policy,
    config,
    signal,
  }: { site: Site; policy: Policy; config: Pick<Config, 'site'>; signal: AbortSignal },
): Promise<Office> {
  const office = await couch.ensureDatabase(OFFICE_DATABASE)
  const deployment = await deployDesignDoc(office, { signal })
  // An older version may lack a view; there is never so much in this database that it would take long.
  await deployment.switched
  const matches = new Matches(office, deployment)
  const looked = new Looked(office, deployment)
  const filters = new Filters(office, ledger.clock)
  const { t } = wordingOf(chooseLanguage('', config.site.language))
  const hands: Hands = {
    newsroom: { ledger, site: site.database, policy },
    key,
    matches,
    reason: ({ name }) => t('filters.reason', { name }),
  }
  const reports = new Reports(office, deployment)
  return {
    queue: new Queue({ site, reports, matches, looked }),
    notes: new Notes(office),
    filters: new FilterDesk({ filters, site, hands }),
    database: office,
    warm: () => deployment.warm(),
    async forget({ item, comment }) {
      const target = comment === undefined ? item : `${item}/${comment}`
      let isFound = await reports.forget(target)
      for (const kind of ['note', 'match']) if (await forgetRange(office, `${kind}:${target}`)) isFound = true
      return isFound
    },
    watcher: new Watcher({ site: site.database, office, filters, hands, looked }),
  }
}

async function forgetRange(database: Database, prefix: string): Promise<boolean> {
  for (let isFound = false; ; isFound = true) {
    const { rows } = await database.allDocs({ startkey: prefix, endkey: `${prefix}\ufff0`, limit: 500 })
    if (rows.length === 0) return isFound
    await database.bulkDocs(rows.map(({ key, value }) => ({ _id: key, _rev: value?.rev, _deleted: true })))
  }
}

/**
 * The notices to moderators that the settings ask for; to be started.
 *
 * @param address where the node listens, for the link where it has no public address
 */
export function openNotices(
  { queue, database }: Pick<Office, 'queue' | 'database'>,
  { config, secrets }: LoadedConfig,
  address: string,
): Notices {
  const { smtp, everyMinutes } = config.notices
  const said = { site: config.site.name, office: `${config.url ?? address}/office` }
  const channels: Channel[] = []
  if (smtp && secrets.smtpUrl !== undefined) {
    const wording = wordingOf(chooseLanguage('', config.site.language))
    channels.push(mail({ ...smtp, ...said, server: secrets.smtpUrl, wording }))
  }
  if (secrets.webhook !== undefined) channels.push(webhook({ ...said, address: secrets.webhook }))
  return new Notices({ queue, office: database, channels, everyMs: everyMinutes * 60_000 })
}
