import { Command } from 'commander'
import { policyOf } from '../project/policy.ts'
import { rebuildSite } from '../project/rebuild.ts'
import { SearchIndex, searchFile } from '../search/search-index.ts'
import { openStoreAlone } from '../store.ts'
import { print, settingsOf, withExamples, withSettings } from './context.ts'
import { anchorsOf } from '../replication/peers-file.ts'

/** `hyperactive rebuild` */
export function rebuildCommand(): Command {
  const command = withSettings(new Command('rebuild'))
    .description('throw the site database away and make it again from the ledger; the node must be stopped')
    .option('--json', 'print JSON')
    .action(async (options: { json?: boolean }) => {
      const loaded = settingsOf(command)
      await using store = await openStoreAlone(loaded)
      const anchors = await anchorsOf(loaded.config, store.key.publicKey)
      const policy = policyOf(loaded.config, store.key.publicKey)
      using index = SearchIndex.open(searchFile(loaded.config.data))
      const count = await rebuildSite(
        { couch: store.couch, ledger: store.ledger, index },
        { anchors, policy },
      )
      print(options.json, { documents: count }, `${count} ledger documents projected`)
    })
  return withExamples(command, 'rebuild')
}
