import { Command } from 'commander'
import { resolve } from 'node:path'
import { exportSite } from '../export/export.ts'
import { openBlobs } from '../media/blobs/open.ts'
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
      const { config, secrets } = loaded
      const { data, media } = config
      const place = { data, couch: store.couch }
      await using blobs = await openBlobs(media.store, secrets.media ?? {}, place)
      const report = await exportSite({ site, name: config.site.name, blobs }, resolve(folder))
      const { items, comments, files, missing } = report
      const lines = [
        `${items} items and ${comments} comments${files > 0 ? ` with ${files} files` : ''} in ${report.folder}`,
        ...missing.map((sha256) => `not on this node: ${sha256}`),
      ]
      print(options.json, report, lines.join('\n'))
    })
  return withExamples(command, 'export ~/archive')
}
