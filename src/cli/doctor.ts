import { Command } from 'commander'
import type { LoadedConfig } from '../config/config.ts'
import { findRunningNode } from '../config/data-folder.ts'
import { HyperactiveError, messageOf } from '../errors.ts'
import { HybridClock } from '../ledger/clock.ts'
import { Ledger } from '../ledger/ledger.ts'
import { heldByReason } from '../project/held.ts'
import { SITE_DATABASE } from '../project/rebuild.ts'
import { loadPeers } from '../replication/peers-file.ts'
import { openStoreForCommand, storeName } from '../store.ts'
import type { Store } from '../store.ts'
import { examineLedger } from '../upkeep/examine.ts'
import type { Problem } from '../upkeep/examine.ts'
import { renewEmbedded } from '../upkeep/renew.ts'
import { repairCouchdb } from '../upkeep/repair.ts'
import { print, settingsOf, withExamples, withSettings } from './context.ts'
import { progressBar } from './progress.ts'

const SHOWN = 50

interface Facts {
  running: boolean
  store: string
  ledgerDocuments: number
  tombstones: number
  designDocuments: string[]
  /** Documents kept off the pages, by reason. */
  held: Record<string, number>
  peersFileProblem: string | null
  /** What stands in the ledger past the gateway, now. */
  problems: Problem[]
}

/** What a repair did. */
interface Repair {
  repaired: Problem[]
  /** The folder of the store as it was, for the embedded store. */
  kept: string | null
}

/** `hyperactive doctor` */
export function doctorCommand(): Command {
  const command = withSettings(new Command('doctor'))
    .description(
      'look through the whole ledger for what was written past the gateway, and through what the node stands on; exit code 1 when something is wrong',
    )
    .option('--repair', 'take out what does not belong there (the embedded store: with the node stopped)')
    .option('--json', 'print JSON')
    .action(async (options: { repair?: boolean; json?: boolean }) => {
      const loaded = settingsOf(command)
      if (options.repair) await checkStopped(loaded)
      let facts = await examine(loaded)
      let repair: Repair | undefined
      if (options.repair && facts.problems.length > 0) {
        repair = { repaired: facts.problems, kept: await mend(loaded, facts.problems) }
        facts = await examine(loaded)
      }
      if (facts.problems.length > 0 || facts.peersFileProblem !== null) process.exitCode = 1
      print(options.json, { ...facts, ...repair }, describe(facts, repair))
    })
  return withExamples(command, 'doctor', 'doctor --repair --json')
}

/** Before a long look is taken in vain. */
async function checkStopped({ config, secrets }: LoadedConfig): Promise<void> {
  const running = secrets.couchdbUrl === undefined && (await findRunningNode(config.data))
  if (!running) return
  const text = `the embedded store is repaired with the node stopped; stop it first (process ${running.processId})`
  throw new HyperactiveError('node_running', text, { status: 409 })
}

async function examine(loaded: LoadedConfig): Promise<Facts> {
  const running = (await findRunningNode(loaded.config.data)) !== undefined
  await using store = await openStoreForCommand(loaded)
  const { database } = store.ledger
  const site = await store.couch.ensureDatabase(SITE_DATABASE)
  const { doc_count } = await database.info()
  const bar = progressBar()
  try {
    const { documents, tombstones, problems } = await examineLedger(database, (done) =>
      bar.show(done, Math.max(done, doc_count), 'changes looked at'),
    )
    return {
      running,
      store: storeName(loaded),
      ledgerDocuments: documents,
      tombstones,
      designDocuments: await designDocuments(store),
      held: await heldByReason(site),
      peersFileProblem: await peersFileProblem(loaded.config.peers),
      problems,
    }
  } finally {
    bar.end()
  }
}

async function designDocuments({ couch }: Store): Promise<string[]> {
  const names = ['ledger', SITE_DATABASE].map(async (name) => {
    const { rows } = await couch.database(name).allDocs({ startkey: '_design/', endkey: '_design0' })
    return rows.map(({ key }) => `${name}/${key}`)
  })
  return (await Promise.all(names)).flat()
}

async function peersFileProblem(path: string): Promise<string | null> {
  try {
    await loadPeers(path)
    return null
  } catch (error) {
    return messageOf(error)
  }
}

/** Gives the folder in which the old store is kept, if there is one. */
async function mend(loaded: LoadedConfig, problems: readonly Problem[]): Promise<string | null> {
  if (loaded.secrets.couchdbUrl === undefined) {
    const bar = progressBar()
    try {
      return await renewEmbedded(loaded, {
        onProgress: ({ step, done, total }) => bar.show(done, total, `changes, to ${step}`),
      })
    } finally {
      bar.end()
    }
  }
  await using store = await openStoreForCommand(loaded)
  // The ledger of the running node is opened with no right to purge.
  const ledger = new Ledger(store.couch.database('ledger'), store.key, new HybridClock())
  await repairCouchdb(ledger, problems)
  return null
}

function describe(facts: Facts, repair: Repair | undefined): string {
  const held = Object.entries(facts.held).map(([reason, count]) => `${count} ${reason}`)
  const lost = (repair?.repaired ?? facts.problems).filter((problem) => problem.lost)
  return [
    `node              ${facts.running ? 'running' : 'not running'}`,
    `store             ${facts.store}, reachable`,
    `ledger            ${facts.ledgerDocuments} documents, ${facts.tombstones} tombstones`,
    `design documents  ${facts.designDocuments.join(', ') || 'none'}`,
    `held off pages    ${held.join(', ') || 'nothing'}`,
    `peers file        ${facts.peersFileProblem ?? 'fine'}`,
    ...(repair ? [`repaired          ${repair.repaired.length}`, ...list(repair.repaired)] : []),
    ...(repair?.kept
      ? [`  the store as it was is kept as ${repair.kept}; remove it when you need it no more`]
      : []),
    `past the gateway  ${facts.problems.length === 0 ? 'nothing' : facts.problems.length}`,
    ...list(facts.problems),
    ...(lost.length > 0
      ? [
          `${lost.length} of these have no true content here any more. If a peer has it, it comes back ${repair ? '' : 'after --repair '}with \`hyperactive peer resync <name>\`.`,
        ]
      : []),
    ...(facts.problems.length > 0
      ? ['Readers and peers get none of this; `hyperactive doctor --repair` takes it out.']
      : []),
  ].join('\n')
}

function list(problems: readonly Problem[]): string[] {
  const shown = problems.slice(0, SHOWN).map(({ kind, id, reason }) => `  ${kind}  ${id}: ${reason}`)
  const more = problems.length - shown.length
  return more > 0 ? [...shown, `  and ${more} more; --json lists them all`] : shown
}
