import { Command } from 'commander'
import { resolve } from 'node:path'
import { HyperactiveError } from '../errors.ts'
import { readSource } from '../import/read-source.ts'
import { revise } from '../newsroom/revise.ts'
import { SITE_DATABASE } from '../project/rebuild.ts'
import { openStoreForCommand } from '../store.ts'
import { print, settingsOf, withExamples, withSettings } from './context.ts'

/** `hyperactive revise <file>` */
export function reviseCommand(): Command {
  const command = withSettings(new Command('revise'))
    .description(
      'save a file of an export, changed, as the next version of its item, in the name of this node',
    )
    .argument('<file>', 'Markdown with the item\'s "id" in its front matter, as export writes it')
    .option('--json', 'print JSON')
    .action(async (file: string, options: { json?: boolean }) => {
      const loaded = settingsOf(command)
      const path = resolve(file)
      const [read] = await readSource(path, path)
      if (!read || 'skipped' in read) {
        const text = `${file} ${read?.skipped.reason ?? 'holds nothing'}`
        throw new HyperactiveError('unfit_fields', text, { status: 422 })
      }
      await using store = await openStoreForCommand(loaded)
      const { ledger, key } = store
      const site = await store.couch.ensureDatabase(SITE_DATABASE)
      const saved = await revise({ ledger, site, key, language: loaded.config.site.language }, read.piece)
      print(options.json, { item: read.piece.name, saved }, saved ? 'saved' : 'nothing has changed')
    })
  return withExamples(command, 'revise ~/archive/pages/2026-11-01-about-us.md')
}
