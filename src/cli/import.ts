import { Command } from 'commander'
import { join, resolve } from 'node:path'
import type { LoadedConfig } from '../config/config.ts'
import { importPieces } from '../import/importer.ts'
import type { ImportReport } from '../import/importer.ts'
import { listSources, readSource } from '../import/read-source.ts'
import type { Read } from '../import/piece.ts'
import { openStoreForCommand } from '../store.ts'
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
  await using store = await openStoreForCommand(loaded)
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
    })
  } finally {
    bar.end()
  }
}

async function* readAll(root: string, files: readonly string[], step: () => void): AsyncGenerator<Read> {
  for (const file of files) {
    yield* await readSource(root, file)
    step()
  }
}

function report({ imported, comments, known, skipped }: ImportReport, asJson: boolean | undefined): void {
  const lines = [
    `${imported.length} imported, ${comments} comments, ${known} here already, ${skipped.length} skipped`,
    ...skipped.map(({ source, reason }) => `  skipped ${source}: ${reason}`),
  ]
  print(asJson, { imported, comments, known, skipped }, lines.join('\n'))
}
