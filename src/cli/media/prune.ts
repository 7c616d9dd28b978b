import { Command } from 'commander'
import { GRACE_MS } from '../../media/keep/keeper.ts'
import type { Removal } from '../../media/keep/keeper.ts'
import { openMediaForCommand } from '../../media-for-command.ts'
import type { MediaForCommand } from '../../media-for-command.ts'
import { print, settingsOf, withExamples, withSettings } from '../context.ts'
import { countOf, size } from './words.ts'

const HOUR_MS = 3_600_000

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
      const loaded = settingsOf(command)
      await using media = await openMediaForCommand(loaded)
      const formsMs = loaded.config.media.uploads.hours * HOUR_MS
      const removal = await prune(media, { orphans, dryRun, formsMs })
      print(
        json,
        { ...removal, dryRun },
        `${countOf(removal.files)} with ${size(removal.bytes)} ${dryRun ? 'would go' : 'removed'}`,
      )
    })
  return withExamples(command, 'media prune --dry-run', 'media prune --orphans')
}

async function prune(
  { keeper, isRunning, ask }: MediaForCommand,
  { orphans, dryRun, formsMs }: { orphans: boolean; dryRun: boolean; formsMs: number },
): Promise<Removal> {
  if (isRunning)
    return (await ask('prune', { olderThanMs: orphans ? 0 : GRACE_MS, dryRun })) as Removal
  await keeper.look()
  // Without the node nobody knows what waits in forms; what is older than they are does not.
  return keeper.removeOrphans({ olderThanMs: orphans ? formsMs : GRACE_MS, dryRun })
}
