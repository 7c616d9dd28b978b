import { Command } from 'commander'
import { checkCouchdb } from '../config/config.ts'
import type { LoadedConfig } from '../config/config.ts'
import { HyperactiveError } from '../errors.ts'
import { moveStore } from '../upkeep/move.ts'
import type { MoveReport, Target } from '../upkeep/move.ts'
import { print, settingsOf, withExamples, withSettings } from './context.ts'
import { progressBar } from './progress.ts'

const LEFT_SHOWN = 20
const STEPS = { copy: 'changes copied', verify: 'changes verified' }

interface MoveOptions {
  to: string
  prefix?: string
  json?: boolean
}

/** `hyperactive store …` */
export function storeCommand(): Command {
  return new Command('store')
    .description('take the ledger from one store to another')
    .addCommand(moveCommand())
}

function moveCommand(): Command {
  const command = withSettings(new Command('move'))
    .description(
      'take the ledger of a stopped node to a CouchDB, or to the embedded store; it can be cut off at any moment and run again',
    )
    .requiredOption('--to <address>', 'the CouchDB with name and password, or "embedded"')
    .option('--prefix <text>', 'what the names of the databases there begin with (default: couchdb.prefix)')
    .option('--json', 'print the report as JSON')
    .action(async (options: MoveOptions) => {
      const loaded = settingsOf(command)
      const target = targetOf(loaded, options)
      const bar = progressBar()
      let report: MoveReport
      try {
        report = await moveStore(loaded, target, {
          onProgress: ({ step, done, total }) => bar.show(done, total, STEPS[step]),
        })
      } finally {
        bar.end()
      }
      const next = nextSteps(target, report)
      print(options.json, { ...report, kept: report.kept ?? null, next }, describe(report, next))
    })
  return withExamples(
    command,
    'store move --to https://admin:secret@couchdb.example/ --prefix athens-',
    'store move --to embedded',
  )
}

function targetOf({ config }: LoadedConfig, { to, prefix }: MoveOptions): Target {
  if (to !== 'embedded') return checkCouchdb(to, prefix ?? config.couchdb.prefix)
  if (prefix === undefined) return 'embedded'
  const text = '--prefix is for a CouchDB; the embedded store has none'
  throw new HyperactiveError('bad_config', text, { status: 400 })
}

function nextSteps(target: Target, { kept, from }: MoveReport): string[] {
  const settings =
    target === 'embedded'
      ? 'take COUCHDB_URL and HYPERACTIVE_COUCHDB_PREFIX (couchdb.url, couchdb.prefix) out of the settings'
      : target.prefix === ''
        ? 'set COUCHDB_URL to the address that --to had, and take HYPERACTIVE_COUCHDB_PREFIX (couchdb.prefix) away if it is set'
        : `set COUCHDB_URL to the address that --to had, and HYPERACTIVE_COUCHDB_PREFIX (couchdb.prefix) to ${target.prefix}`
  const old =
    kept === undefined
      ? `${from} is left as it is; remove its databases when you need them no more`
      : `the old store is kept as ${kept}; remove it when you need it no more`
  return [settings, 'start the node: the site database is made anew from the ledger, once', old]
}

function describe(report: MoveReport, next: readonly string[]): string {
  const { documents, tombstones, from, to, hash, leftBehind } = report
  const shown = leftBehind.slice(0, LEFT_SHOWN).map(({ id, reason }) => `  ${id}: ${reason}`)
  const more = leftBehind.length - shown.length
  return [
    `${documents} documents and ${tombstones} tombstones moved from ${from} to ${to}`,
    `read again on both sides and equal: SHA-256 ${hash}`,
    ...(leftBehind.length === 0 ? [] : [`${leftBehind.length} not copied:`, ...shown]),
    ...(more > 0 ? [`  and ${more} more; --json lists them all`] : []),
    'next:',
    ...next.map((line) => `  ${line}`),
  ].join('\n')
}
