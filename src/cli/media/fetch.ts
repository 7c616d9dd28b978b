import { Command } from 'commander'
import { inPieces } from '../../pieces.ts'
import { HyperactiveError } from '../../errors.ts'
import { lookAtFiles } from '../../media/keep/look.ts'
import type { FetchedFile } from '../../media/keep/commands.ts'
import { openMediaForCommand } from '../../media-for-command.ts'
import type { MediaForCommand } from '../../media-for-command.ts'
import { print, settingsOf, withExamples, withSettings } from '../context.ts'
import { progressBar } from '../progress.ts'
import { countOf, digestsNamed } from './words.ts'

const AT_ONCE = 20
const SHOWN = 20

/** `hyperactive media fetch [file...]` */
export function fetchCommand(): Command {
  const command = withSettings(new Command('fetch'))
    .description(
      'have the running node fetch files from its peers, whatever `media.keep` says: these, or all that items have and that are not here; exit code 1 when one does not come',
    )
    .argument('[file...]', 'digests or addresses of files', digestsNamed)
    .option('--json', 'print JSON')
    .action(async (files: string[], options: { json?: boolean }) => {
      await using media = await openMediaForCommand(settingsOf(command))
      if (!media.isRunning) {
        const text = 'files come over the links of a running node: start it first'
        throw new HyperactiveError('node_not_running', text, { status: 409 })
      }
      const wanted = files.length > 0 ? files : await missingFiles(media)
      const results = await fetchAll(media, wanted)
      const failed = results.filter(({ problem }) => problem !== null)
      if (failed.length > 0) process.exitCode = 1
      print(options.json, { files: results }, describe(results, failed))
    })
  return withExamples(
    command,
    'media fetch',
    'media fetch 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
  )
}

async function missingFiles({ blobs, site }: MediaForCommand): Promise<string[]> {
  const found: string[] = []
  for await (const { sha256, state, named } of lookAtFiles({ blobs, site }))
    if (named && state !== 'whole') found.push(sha256)
  return found
}

async function fetchAll({ ask }: MediaForCommand, wanted: readonly string[]): Promise<FetchedFile[]> {
  const results: FetchedFile[] = []
  const bar = progressBar()
  try {
    for (const files of inPieces(wanted, AT_ONCE)) {
      results.push(...((await ask('fetch', { files })) as FetchedFile[]))
      bar.show(results.length, wanted.length, 'files')
    }
  } finally {
    bar.end()
  }
  return results
}

function describe(results: readonly FetchedFile[], failed: readonly FetchedFile[]): string {
  if (results.length === 0) return 'nothing is missing'
  const more = failed.length - SHOWN
  return [
    `${countOf(results.length - failed.length)} of ${results.length} here now`,
    ...failed.slice(0, SHOWN).map(({ sha256, problem }) => `  ${sha256}: ${problem ?? ''}`),
    ...(more > 0 ? [`  and ${more} more; --json lists them all`] : []),
  ].join('\n')
}
