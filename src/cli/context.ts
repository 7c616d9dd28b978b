import type { Command } from 'commander'
import { loadConfig } from '../config/config.ts'
import type { Flags, LoadedConfig } from '../config/config.ts'

/** Options that every command takes; they win over the environment and the settings file. */
export function withSettings(command: Command): Command {
  return command
    .option('--config <file>', 'settings file (default: config.yaml in the data folder)')
    .option('--data <folder>', 'data folder (HYPERACTIVE_DATA)')
    .option('--host <name>', 'address to listen on (HYPERACTIVE_HOST)')
    .option('--port <number>', 'port to listen on, 0 for a free one (HYPERACTIVE_PORT)')
    .option('--url <address>', 'public address of this node (HYPERACTIVE_URL)')
    .option('--peers <file>', 'path of peers.yaml (HYPERACTIVE_PEERS)')
}

/** The settings that a command was given. */
export function settingsOf(command: Command): LoadedConfig {
  return loadConfig(command.optsWithGlobals<Flags>())
}

/** Adds examples below a command's help. */
export function withExamples(command: Command, ...examples: string[]): Command {
  const lines = examples.map((example) => `  $ hyperactive ${example}`)
  return command.addHelpText('after', `\nExample${examples.length > 1 ? 's' : ''}:\n${lines.join('\n')}`)
}

/** Prints a line for a person, or the same facts as one line of JSON. */
export function print(asJson: boolean | undefined, facts: unknown, text: string): void {
  process.stdout.write(`${asJson ? JSON.stringify(facts) : text}\n`)
}
