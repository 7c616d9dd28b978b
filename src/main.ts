#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Command, CommanderError } from 'commander'
import { configCommand } from './cli/config.ts'
import { accountCommand } from './cli/account.ts'
import { decideCommand } from './cli/decide.ts'
import { doctorCommand } from './cli/doctor.ts'
import { editLinkCommand } from './cli/edit-link.ts'
import { eraseCommand } from './cli/erase.ts'
import { exportCommand } from './cli/export.ts'
import { reviseCommand } from './cli/revise.ts'
import { importCommand, seedCommand } from './cli/import.ts'
import { mediaCommand } from './cli/media.ts'
import { mirrorCommand } from './cli/mirror.ts'
import { peerCommand } from './cli/peer.ts'
import { produceCommand } from './cli/produce.ts'
import { rebuildCommand } from './cli/rebuild.ts'
import { startCommand } from './cli/start.ts'
import { statusCommand } from './cli/status.ts'
import { whereCommand } from './cli/where.ts'
import { storeCommand } from './cli/store.ts'
import { wordCommand } from './cli/word.ts'
import { versionCommand } from './cli/version.ts'
import { HyperactiveError, messageOf } from './errors.ts'

const EXIT_FAILURE = 1
const EXIT_USAGE = 2
const USAGE_CODES = new Set(['bad_config', 'bad_peers_file'])

const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '../package.json'), 'utf8')) as {
  version: string
}

const program = new Command('hyperactive')
  .description('A publishing system for independent news networks that survives the loss of any server')
  .addCommand(startCommand())
  .addCommand(seedCommand())
  .addCommand(importCommand())
  .addCommand(exportCommand())
  .addCommand(produceCommand())
  .addCommand(reviseCommand())
  .addCommand(accountCommand())
  .addCommand(decideCommand())
  .addCommand(eraseCommand())
  .addCommand(wordCommand('tag'))
  .addCommand(wordCommand('place'))
  .addCommand(peerCommand())
  .addCommand(mirrorCommand())
  .addCommand(mediaCommand())
  .addCommand(rebuildCommand())
  .addCommand(doctorCommand())
  .addCommand(storeCommand())
  .addCommand(statusCommand())
  .addCommand(whereCommand())
  .addCommand(editLinkCommand())
  .addCommand(configCommand())
  .addCommand(versionCommand(version))
  .addHelpText(
    'after',
    '\nExample:\n  $ hyperactive start --data ./data --port 8080\n\nExit codes: 0 done, 1 failed, 2 wrong use or settings.',
  )
  .showHelpAfterError('(--help shows how)')

forEachCommand(program, (command) => command.exitOverride())

try {
  await program.parseAsync()
} catch (error) {
  process.exitCode = report(error)
}

/** Prints one line that says what to do, and gives the exit code. */
function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_USAGE
  if (error instanceof HyperactiveError) {
    process.stderr.write(`hyperactive: ${error.message}\n`)
    return USAGE_CODES.has(error.code) ? EXIT_USAGE : EXIT_FAILURE
  }
  process.stderr.write(`hyperactive: ${messageOf(error)}\n`)
  if (process.env.HYPERACTIVE_LOG === 'debug' && error instanceof Error)
    process.stderr.write(`${error.stack ?? ''}\n`)
  return EXIT_FAILURE
}

function forEachCommand(command: Command, apply: (command: Command) => void): void {
  apply(command)
  for (const inner of command.commands) forEachCommand(inner, apply)
}
