import { Command } from 'commander'
import { join, resolve } from 'node:path'
import type { LoadedConfig } from '../config/config.ts'
import { importPieces } from '../import/importer.ts'
import type { ImportReport } from '../import/importer.ts'
import { cleanerForImport } from '../import/files.ts'
import { listSources, readSource } from '../import/read-source.ts'
import type { Read } from '../import/piece.ts'
import { openBlobs } from '../media/blobs/open.ts'
import { findTools } from '../media/clean/tools.ts'
import { openStoreForCommand } from '../store.ts'
import type { Store } from '../store.ts'
import { print, settingsOf, withExamples, withSettings } from './context.ts'
import { progressBar } from './progress.ts'

const SEEDS = join(import.meta.dirname, '../../seeds')

/** `hyperactive import <folder|file>` */
export function importCommand(): Command {
  const command = withSettings(new Command('import'))
    .description(
      'publish a folder of Markdown, a feed, an export of WordPress or of a Hyperactive, under the original dates',
    )
    .argument('<path>', 'folder or file')
    .option('--json', 'print the report as JSON')
    .action(async (path: string, options: { json?: boolean }) => {
      report(await runImport(settingsOf(command), resolve(path)), options.json)
    })
  return withExamples(command, 'import ~/blog/_posts', 'import wordpress-export.xml --json')
}

/** `hyperactive seed` */
export function seedCommand(): Command {
  const command = withSettings(new Command('seed'))
    .description('publish the demonstration articles, for trying the program out')
    .option('--json', 'print the report as JSON')
    .action(async (options: { json?: boolean }) => {
      report(await runImport(settingsOf(command), SEEDS), options.json)
    })
  return withExamples(command, 'seed --data /tmp/try')
}

async function runImport(loaded: LoadedConfig, path: string): Promise<ImportReport> {
  const files = await listSources(path)
  await using stack = new AsyncDisposableStack()
  const store = stack.use(await openStoreForCommand(loaded))
  const media = await mediaOf(loaded, store, stack)
  const bar = progressBar()
  let done = 0
  const step = () => {
    done += 1
    if (done % 10 === 0 || done === files.length) bar.show(done, files.length, 'files')
  }
  try {
    return await importPieces(readAll(path, files, step), {
      ledger: store.ledger,
      nodeKey: store.key,
      language: loaded.config.site.language,
      media,
    })
  } finally {
    bar.end()
  }
}

/** Where files are kept, and a cleaner of the command's own. */
async function mediaOf({ config, secrets }: LoadedConfig, { couch }: Store, stack: AsyncDisposableStack) {
  const { data, media } = config
  const blobs = stack.use(await openBlobs(media.store, secrets.media ?? {}, { data, couch }))
  return { blobs, cleaner: await cleanerForImport(stack, await findTools(media.tools)) }
}

async function* readAll(root: string, files: readonly string[], step: () => void): AsyncGenerator<Read> {
  for (const file of files) {
    yield* await readSource(root, file)
    step()
  }
}

function report(
  { imported, comments, files, known, skipped }: ImportReport,
  asJson: boolean | undefined,
): void {
  const lines = [
    `${imported.length} imported, ${comments} comments${files > 0 ? ` and ${files} files` : ''}, ${known} here already, ${skipped.length} skipped`,
    ...skipped.map(({ source, reason }) => `  skipped ${source}: ${reason}`),
  ]
  print(asJson, { imported, comments, files, known, skipped }, lines.join('\n'))
}
