import { Command } from 'commander'
import { HyperactiveError } from '../errors.ts'
import { findRunningNode } from '../config/data-folder.ts'
import { importedSecret } from '../import/importer.ts'
import { kindOf } from '../kinds/base/registry.ts'
import { isEdit } from '../project/judge.ts'
import { openStoreForCommand } from '../store.ts'
import { print, settingsOf, withExamples, withSettings } from './context.ts'

/** `hyperactive edit-link <item>` */
export function editLinkCommand(): Command {
  const command = withSettings(new Command('edit-link'))
    .description('print the secret edit link of an item that this node imported or seeded')
    .argument('<item>', 'the item: the last part of its address')
    .option('--json', 'print JSON')
    .action(async (item: string, options: { json?: boolean }) => {
      const loaded = settingsOf(command)
      const running = await findRunningNode(loaded.config.data)
      await using store = await openStoreForCommand(loaded)
      const edits = (await store.ledger.ofItem(item, 'edit')).filter(isEdit)
      const first = edits.find(({ parents }) => parents.length === 0)
      if (!first) throw new HyperactiveError('unknown_item', `there is no item ${item} here`, { status: 404 })
      const secret = importedSecret(store.key, first)
      if (secret === undefined) {
        const text = `${item} was not imported by this node: only its author has its edit link`
        throw new HyperactiveError('not_imported_here', text, { status: 403 })
      }
      const path = `/${kindOf(first.kind)?.path ?? first.kind}/${item}/edit/${secret}`
      const link = `${loaded.config.url ?? running?.address ?? ''}${path}`
      print(options.json, { item, link }, link)
    })
  return withExamples(command, 'edit-link 01m83yydzved5b913tktd3xrqc')
}
