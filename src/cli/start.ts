import { Command } from 'commander'
import { startNode } from '../node.ts'
import { settingsOf, withExamples, withSettings } from './context.ts'

/** `hyperactive start` */
export function startCommand(): Command {
  const command = withSettings(new Command('start'))
    .description('run a node until it is told to stop (Ctrl-C)')
    .action(async () => {
      const stopped = untilStopped()
      await using node = await startNode(settingsOf(command))
      const { config, address } = node
      process.stdout.write(`${config.site.name} is ready\n`)
      process.stdout.write(
        `  read     ${address}/\n  publish  ${address}/publish\n  data     ${config.data}\n`,
      )
      await stopped
    })
  return withExamples(
    command,
    'start',
    'start --data /srv/hyperactive --port 8080 --url https://news.example.org',
  )
}

/** Resolves at the first SIGINT or SIGTERM, or when the process that started this one by fork goes away. */
export function untilStopped(): Promise<void> {
  return new Promise((resolve) => {
    for (const event of ['SIGINT', 'SIGTERM', 'disconnect']) process.once(event, () => resolve())
  })
}
