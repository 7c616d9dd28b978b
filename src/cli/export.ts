import { Command } from 'commander'
import { resolve } from 'node:path'
import { exportSite } from '../export/export.ts'
import { SITE_DATABASE } from '../project/rebuild.ts'
import { openStoreForCommand } from '../store.ts'
import { print, settingsOf, withExamples, withSettings } from './context.ts'

/** `hyperactive export <folder>` */
export function exportCommand(): Command {
  const command = withSettings(new Command('export'))
    .description('write everything that readers see as Markdown and JSON, which import reads back')
    .argument('<folder>', 'an empty folder, or that of an earlier export')
    .option('--json', 'print JSON')
    .action(async (folder: string, options: { json?: boolean }) => {
      const loaded = settingsOf(command)
      await using store = await openStoreForCommand(loaded)
      const site = await store.couch.ensureDatabase(SITE_DATABASE)
      const report = await exportSite({ site, name: loaded.config.site.name }, resolve(folder))
      print(options.json, report, `${report.items} items and ${report.comments} comments in ${report.folder}`)
    })
  return withExamples(command, 'export ~/archive')
}
