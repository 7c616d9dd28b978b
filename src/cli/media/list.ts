import { Command } from 'commander'
import { lookAtFiles } from '../../media/keep/look.ts'
import type { LookedAt } from '../../media/keep/look.ts'
import { heldFiles } from '../../media/keep/named-files.ts'
import { readFailed } from '../../media/derive/read-failed.ts'
import { readLacking } from '../../media/share/read-lacking.ts'
import { openMediaForCommand } from '../../media-for-command.ts'
import type { MediaForCommand } from '../../media-for-command.ts'
import { print, settingsOf, withExamples, withSettings } from '../context.ts'
import { digestNamed, size, wholeNumber } from './words.ts'

const SHOWN = 50

interface Options {
  failed?: boolean
  underReplicated?: boolean
  orphans?: boolean
  missing?: boolean
  limit: number
  after?: string
  json?: boolean
}

/** What is said of a file. */
interface Listed extends Omit<LookedAt, 'named'> {
  type: string | null
  item: string | null
  kind: string | null
  /** What it was made as, and of which file. */
  as: string | null
  of: string | null
  isShown: boolean
  /** ISO 8601; of a file that nothing names. */
  orphanSince: string | null
}

/** `hyperactive media list` */
export function listCommand(): Command {
  const command = withSettings(new Command('list'))
    .description('the files that are here or should be, with what has them, in the order of their digests')
    .option('--orphans', 'only those that nothing names')
    .option('--missing', 'only those that an item has and that are not here, or not all of them')
    .option('--under-replicated', 'only those that are on fewer nodes than the settings ask for')
    .option('--failed', 'only those of which nothing could be made, with the reason')
    .option('--limit <number>', 'how many', wholeNumber, SHOWN)
    .option('--after <digest>', 'go on after this one', digestNamed)
    .option('--json', 'print JSON')
    .action(async (options: Options) => {
      if (options.failed === true) {
        listFailed(settingsOf(command).config.data, options)
        return
      }
      if (options.underReplicated === true) {
        listScarce(settingsOf(command).config.data, options)
        return
      }
      await using media = await openMediaForCommand(settingsOf(command))
      const { files, next } = await list(media, options)
      const lines = files.map(describe)
      const more = next === null ? [] : [`there are more: --after ${next}`]
      print(options.json, { files, next }, [...lines, ...more].join('\n') || 'no files')
    })
  return withExamples(command, 'media list', 'media list --orphans --json')
}

function listFailed(data: string, { limit, json }: Options): void {
  const files = readFailed(data, limit).map(({ sha256, item, code = '', reason = '' }) => ({
    sha256,
    item,
    code,
    reason,
  }))
  const lines = files.map(({ sha256, item, reason }) => `${sha256}  of ${item}: ${reason}`)
  print(json, { files }, lines.join('\n') || 'no files')
}

/** As the node noted it last: what others hold, only they can say. */
function listScarce(data: string, { limit, after, json }: Options): void {
  const found = readLacking(data, limit + 1, after)
  const files = found.slice(0, limit)
  const next = found.length > limit ? (files.at(-1)?.sha256 ?? null) : null
  const lines = files.map(
    ({ sha256, bytes, holders, jurisdictions, problem }) =>
      `${sha256}  ${size(bytes).padStart(7)}  on ${holders} nodes, under ${jurisdictions} laws${problem === undefined ? '' : `: ${problem}`}`,
  )
  const more = next === null ? [] : [`there are more: --after ${next}`]
  print(json, { files, next }, [...lines, ...more].join('\n') || 'no files')
}

async function list(
  { blobs, site, keeper, hands, store }: MediaForCommand,
  { orphans = false, missing = false, limit, after }: Options,
): Promise<{ files: Listed[]; next: string | null }> {
  const held = orphans ? await heldFiles(site.database, store.ledger.database) : new Set<string>()
  const files: Listed[] = []
  for await (const file of lookAtFiles({ blobs, site }, after)) {
    const isOrphan = !file.named && !held.has(file.sha256) && !(await hands.isWaiting(file.sha256))
    if ((orphans && !isOrphan) || (missing && file.state === 'whole')) continue
    if (files.length === limit) return { files, next: files.at(-1)?.sha256 ?? null }
    const since = isOrphan ? keeper.book.orphanSince(file.sha256) : undefined
    files.push(listed(file, since))
  }
  return { files, next: null }
}

function listed({ named, ...file }: LookedAt, sinceMs: number | undefined): Listed {
  return {
    ...file,
    type: named?.type ?? null,
    item: named?.item ?? null,
    kind: named?.kind ?? null,
    as: named?.as ?? null,
    of: named?.of ?? null,
    isShown: named?.isShown ?? false,
    orphanSince: sinceMs === undefined ? null : new Date(sinceMs).toISOString(),
  }
}

function describe({ sha256, state, bytes, type, item, kind, as, isShown, orphanSince }: Listed): string {
  const what = [
    ...(type === null ? ['nothing names it'] : [type]),
    ...(as === null ? [] : [`as ${as}`]),
    ...(item === null ? [] : [`${kind ?? 'item'} ${item}`]),
    ...(item !== null && !isShown ? ['not shown'] : []),
    ...(orphanSince === null ? [] : [`noticed ${orphanSince}`]),
  ]
  return `${sha256}  ${state.padEnd(10)}  ${size(bytes).padStart(7)}  ${what.join(', ')}`
}
