import { Command } from 'commander'
import { decide } from '../newsroom/decide.ts'
import { ACTIONS } from '../project/decisions.ts'
import { policyOf } from '../project/policy.ts'
import { SITE_DATABASE } from '../project/rebuild.ts'
import { openStoreForCommand } from '../store.ts'
import { print, settingsOf, withExamples, withSettings } from './context.ts'
import { targetNamed } from './target.ts'

/** `hyperactive decide <target> <action>` */
export function decideCommand(): Command {
  const command = withSettings(new Command('decide'))
    .description(`moderate in the name of this node: ${ACTIONS.join(', ')}`)
    .argument('<target>', "an item's id or address, or the address of a comment")
    .argument('<action>', 'what is decided')
    .option('--reason <text>', 'why; it is kept with the decision and travels with it')
    .option('--json', 'print JSON')
    .action(async (target: string, action: string, options: { reason?: string; json?: boolean }) => {
      const loaded = settingsOf(command)
      await using store = await openStoreForCommand(loaded)
      const { item, comment } = targetNamed(target)
      const site = await store.couch.ensureDatabase(SITE_DATABASE)
      const { reason } = options
      const id = await decide(
        { ledger: store.ledger, site, policy: policyOf(loaded.config, store.key.publicKey) },
        {
          item,
          action,
          ...(comment === undefined ? {} : { comment }),
          ...(reason === undefined ? {} : { reason }),
        },
      )
      const facts = { item, comment: comment ?? null, action, document: id }
      print(options.json, facts, `decided: ${action} ${comment === undefined ? item : `comment ${comment}`}`)
    })
  return withExamples(
    command,
    'decide 01m83yydzved5b913tktd3xrqc feature',
    'decide https://news.example/articles/01m83yydzved5b913tktd3xrqc hide --reason "names a minor"',
  )
}
