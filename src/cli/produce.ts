import { resolve } from 'node:path'
import { Command } from 'commander'
import { z } from 'zod'
import type { Config, LoadedConfig } from '../config/config.ts'
import { findRunningNode } from '../config/data-folder.ts'
import { HyperactiveError } from '../errors.ts'
import { isLanguage, LANGUAGES } from '../i18n/messages.ts'
import type { Language } from '../i18n/messages.ts'
import { liveNodes } from '../produce/live-nodes.ts'
import { openSite, PAGES_AT_ONCE } from '../produce/open-site.ts'
import { Producer } from '../produce/producer.ts'
import type { ProducerOptions, ProduceReport } from '../produce/producer-options.ts'
import { SiteFolder } from '../produce/site-folder.ts'
import { watchSite } from '../produce/watch.ts'
import { loadPeers } from '../replication/peers-file.ts'
import { openStoreForCommand } from '../store.ts'
import { print, settingsOf, withExamples, withSettings } from './context.ts'

const SHOWN = 20

interface Options {
  all?: boolean
  out: string
  watch?: boolean
  live?: string[]
  site?: string
  languages?: string
  json?: boolean
}

type Produced = Pick<ProducerOptions, 'folder' | 'live' | 'base' | 'languages'>

/** `hyperactive produce --all --out <folder>` */
export function produceCommand(): Command {
  const command = withSettings(new Command('produce'))
    .description('write the whole site as files that any web server, or a browser alone, can show')
    .requiredOption('--all', 'everything that a reader reaches by links')
    .requiredOption('--out <folder>', 'an empty folder, or that of an earlier production')
    .option('--watch', 'keep it current while the node runs, until interrupted')
    .option('--live <address...>', 'nodes where readers search and publish (produce.live; url and peers)')
    .option('--site <address>', 'where the files will be read, for feeds and sitemaps (produce.url)')
    .option('--languages <list>', `"all", or some of ${LANGUAGES.join(',')}: each in a folder of its own`)
    .option('--json', 'print JSON')
    .action(async (options: Options) => {
      const loaded = settingsOf(command)
      const languages = languagesOf(options.languages)
      const live = await liveOf(loaded.config, options.live)
      const base = options.site === undefined ? loaded.config.produce.url : addressOf(options.site, '--site')
      if (options.watch) await checkRunning(loaded)
      const folder = await SiteFolder.open(resolve(options.out))
      const produced = { folder, live, base, languages }
      const tell = (report: ProduceReport) => {
        const facts = { folder: folder.path, ...report }
        print(options.json, facts, describe(folder.path, report, live))
      }
      if (options.watch) {
        await watchSite(loaded, { produced, signal: untilStopped(), onAll: tell })
        return
      }
      const report = await produceOnce(loaded, produced)
      tell(report)
      if (report.failed.length > 0) process.exitCode = 1
    })
  return withExamples(
    command,
    'produce --all --out /media/stick/news',
    'produce --all --out /srv/www --watch --live https://news.example.org',
  )
}

async function produceOnce(loaded: LoadedConfig, produced: Produced): Promise<ProduceReport> {
  await using store = await openStoreForCommand(loaded)
  await using open = await openSite(store, loaded)
  const { application, site, media } = open
  const about = loaded.config.site
  await using producer = new Producer({
    ...produced,
    application,
    site,
    media,
    about,
    atOnce: PAGES_AT_ONCE,
    follows: false,
  })
  return await producer.produceAll()
}

async function liveOf({ produce, url, peers }: Config, given: string[] | undefined): Promise<string[]> {
  if (given) return given.map((text) => addressOf(text, '--live'))
  return produce.live.length > 0 ? produce.live : liveNodes(url, await loadPeers(peers))
}

function addressOf(text: string, flag: string): string {
  const parsed = z.url({ protocol: /^https?$/ }).safeParse(text)
  if (parsed.success) return parsed.data.replace(/\/+$/, '')
  throw new HyperactiveError('bad_config', `${flag}: "${text}" is not an http or https address`, {
    status: 400,
  })
}

function languagesOf(text = ''): Language[] {
  if (text === 'all') return [...LANGUAGES]
  const names = text.split(',').filter((name) => name !== '')
  return names.map((name) => {
    if (isLanguage(name)) return name
    const message = `--languages: the interface does not speak "${name}"; it speaks ${LANGUAGES.join(', ')}`
    throw new HyperactiveError('bad_config', message, { status: 400 })
  })
}

async function checkRunning({ config }: LoadedConfig): Promise<void> {
  if (await findRunningNode(config.data)) return
  const message = `--watch follows the node that runs on ${config.data}, and none does; start it, or leave --watch out`
  throw new HyperactiveError('no_node', message, { status: 409 })
}

function describe(folder: string, report: ProduceReport, live: readonly string[]): string {
  const { files, written, removed, missing, failed } = report
  return [
    `${files} files in ${folder}: ${written} written, ${removed} removed`,
    ...(live.length === 0 ? ['no live node is known, so forms are left out; --live names one'] : []),
    ...missing.slice(0, SHOWN).map((address) => `not on this node: ${address}`),
    ...(missing.length > SHOWN ? [`and ${missing.length - SHOWN} more`] : []),
    ...failed.slice(0, SHOWN).map(({ address, status }) => `not made: ${address} answered ${status}`),
    ...(failed.length > SHOWN ? [`and ${failed.length - SHOWN} more`] : []),
    ...(failed.length > 0 ? ['what is not linked any more was kept for that reason'] : []),
  ].join('\n')
}

/** A signal for the first SIGINT or SIGTERM. */
function untilStopped(): AbortSignal {
  const stop = new AbortController()
  for (const event of ['SIGINT', 'SIGTERM']) process.once(event, () => stop.abort())
  return stop.signal
}
