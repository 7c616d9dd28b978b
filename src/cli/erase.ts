import { Command, Option } from 'commander'
import { orderErasure } from '../erasure/order.ts'
import { CATEGORIES } from '../newsroom/categories.ts'
import { SITE_DATABASE } from '../project/rebuild.ts'
import { openStoreForCommand } from '../store.ts'
import { print, settingsOf, withExamples, withSettings } from './context.ts'
import { targetNamed } from './target.ts'

/** `hyperactive erase <target> --category <reason>` */
export function eraseCommand(): Command {
  const command = withSettings(new Command('erase'))
    .description(
      'remove the content of an item, with its comments, or of one comment for good, here and on every node that follows',
    )
    .argument('<target>', "an item's id or address, or the address of a comment")
    .addOption(
      new Option('--category <reason>', 'why; the order names it and none of the content')
        .choices([...CATEGORIES])
        .makeOptionMandatory(),
    )
    .option('--json', 'print JSON')
    .action(async (target: string, { category, json }: { category: string; json?: boolean }) => {
      const named = targetNamed(target)
      await using store = await openStoreForCommand(settingsOf(command))
      const site = await store.couch.ensureDatabase(SITE_DATABASE)
      const document = await orderErasure({ ledger: store.ledger, site }, named, { category })
      const facts = { item: named.item, comment: named.comment ?? null, document }
      const when = store.folder ? 'once the node runs' : 'now'
      print(json, facts, `ordered: ${document}; this node carries it out ${when}`)
    })
  return withExamples(command, 'erase 01m83yydzved5b913tktd3xrqc --category personal-data')
}
