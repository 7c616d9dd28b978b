import { Command } from 'commander'
import { fetchCommand } from './media/fetch.ts'
import { listCommand } from './media/list.ts'
import { pruneCommand } from './media/prune.ts'
import { verifyCommand } from './media/verify.ts'

/** `hyperactive media …`: the commands work beside a running node, and without one. */
export function mediaCommand(): Command {
  return new Command('media')
    .description('the pictures, sound, film and other files of this node')
    .addCommand(listCommand())
    .addCommand(verifyCommand())
    .addCommand(fetchCommand())
    .addCommand(pruneCommand())
}
