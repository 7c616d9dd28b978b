import { Command } from 'commander'
import { print, withExamples } from './context.ts'

/** `hyperactive version` */
export function versionCommand(version: string): Command {
  const command = new Command('version')
    .description('print the version')
    .option('--json', 'print JSON')
    .action((options: { json?: boolean }) => print(options.json, { version, node: process.version }, version))
  return withExamples(command, 'version --json')
}
