import { Command } from 'commander'
import { HyperactiveError } from '../errors.ts'
import { SITE_DATABASE } from '../project/rebuild.ts'
import { Site } from '../project/site.ts'
import { holdings, lagBehind } from '../replication/arrivals.ts'
import type { Holding, Lag } from '../replication/arrivals.ts'
import { loadPeers } from '../replication/peers-file.ts'
import { readPeersStatus } from '../replication/status.ts'
import { openStoreForCommand } from '../store.ts'
import { print, settingsOf, withExamples, withSettings } from './context.ts'

const WORDS: Record<Holding, string> = {
  yes: 'has it',
  'not-yet': 'not yet',
  unknown: 'unknown: it has confirmed nothing that says so',
}

/** `hyperactive where` */
export function whereCommand(): Command {
  const command = withSettings(new Command('where'))
    .description('say which peers are known to hold the newest version of an item')
    .argument('<item>', 'its id, or its address')
    .option('--json', 'print JSON')
    .action(async (text: string, options: { json?: boolean }) => {
      const loaded = settingsOf(command)
      const peers = (await loadPeers(loaded.config.peers)).filter(({ enabled }) => enabled)
      const names = peers.map(({ name }) => name)
      await using store = await openStoreForCommand(loaded)
      const site = new Site(await store.couch.ensureDatabase(SITE_DATABASE), () => '')
      const id = /[0-9a-hjkmnp-tv-z]{26}/.exec(text)?.[0]
      const item = id === undefined ? undefined : await site.item(id)
      if (!item) {
        const message = `no item "${text}" on this node; give the id or the address that its page has`
        throw new HyperactiveError('unknown_item', message, { status: 404 })
      }
      const { database } = store.ledger
      const { confirmed } = await readPeersStatus(database)
      const heads = item.heads.map((hash) => `${item._id}:edit:${hash}`)
      const held = await holdings(database, heads, names, confirmed)
      const listed = await Promise.all(
        names.map(async (name) => ({
          name,
          holds: held[name] ?? 'unknown',
          lag: (await lagBehind(database, confirmed[name], Date.now())) ?? null,
        })),
      )
      const { title } = item.listing
      print(
        options.json,
        { item: item._id, title, updatedAt: item.updatedAt, peers: listed },
        [
          `${title}  (${item._id}), newest version of ${item.updatedAt.slice(0, 19)}Z`,
          '  here  has it',
          ...listed.map(({ name, holds, lag }) => {
            const behind = holds === 'not-yet' && lag ? ` (${describeLag(lag)})` : ''
            return `  ${name}  ${WORDS[holds]}${behind}`
          }),
        ].join('\n'),
      )
    })
  return withExamples(command, 'where 06fkqx…', 'where https://athens.example/articles/06fkqx… --json')
}

/** How far a peer is behind, for a person. */
export function describeLag({ documents, seconds }: Lag): string {
  return documents === 0 ? 'up to date' : `behind by ${documents} documents, ${seconds} s`
}
