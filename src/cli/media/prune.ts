import { Command } from 'commander'
import { GRACE_MS } from '../../media/keep/keeper.ts'
import type { Removal } from '../../media/keep/keeper.ts'
import { openMediaForCommand } from '../../media-for-command.ts'
import type { MediaForCommand } from '../../media-for-command.ts'
import { print, settingsOf, withExamples, withSettings } from '../context.ts'
import { countOf, size } from './words.ts'

interface Options {
  orphans?: boolean
  dryRun?: boolean
  json?: boolean
}

/** `hyperactive media prune` */
export function pruneCommand(): Command {
  const command = withSettings(new Command('prune'))
    .description('remove files that nothing names since a week, as the node does by itself every six hours')
    .option('--orphans', 'all files that nothing names, now; not those that wait in a form')
    .option('--dry-run', 'only say what would go')
    .option('--json', 'print JSON')
    .action(async ({ orphans = false, dryRun = false, json }: Options) => {
      await using media = await openMediaForCommand(settingsOf(command))
      const given = { olderThanMs: orphans ? 0 : GRACE_MS, dryRun }
      const removal = await prune(media, given)
      print(
        json,
        { ...removal, dryRun },
        `${countOf(removal.files)} with ${size(removal.bytes)} ${dryRun ? 'would go' : 'removed'}`,
      )
    })
  return withExamples(command, 'media prune --dry-run', 'media prune --orphans')
}

/** Beside a running node it is the node that does it: it knows what is about to wait in a form. */
async function prune(
  { keeper, isRunning, ask }: MediaForCommand,
  given: { olderThanMs: number; dryRun: boolean },
): Promise<Removal> {
  if (isRunning) return (await ask('prune', given)) as Removal
  await keeper.look()
  return keeper.removeOrphans(given)
}
