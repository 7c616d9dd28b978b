import { Command } from 'commander'
import { stringify } from 'yaml'
import type { Config, Secrets } from '../config/config.ts'
import { loadPeers } from '../replication/peers-file.ts'
import { withoutPassword } from '../couch/request.ts'
import { print, settingsOf, withExamples, withSettings } from './context.ts'

/** `hyperactive config check` */
export function configCommand(): Command {
  const check = withSettings(new Command('check'))
    .description('check the settings and the peers file, and print every setting in force')
    .option('--json', 'print JSON')
    .action(async (options: { json?: boolean }) => {
      const { config, secrets } = settingsOf(check)
      const peers = await loadPeers(config.peers)
      const { file, ...settings } = config
      const shown = {
        ...settings,
        couchdb: { url: maskUrl(secrets.couchdbUrl), ...settings.couchdb },
        notices: shownNotices(settings.notices, secrets),
        proxies: settings.proxies.map((proxy, index) => ({
          ...proxy,
          ...(secrets.proxies?.[index] === undefined ? {} : { secret: '***' }),
        })),
        mirrors: settings.mirrors.map((mirror) => {
          const hidden = Object.keys(secrets.mirrors?.[mirror.name] ?? {})
          return { ...mirror, ...Object.fromEntries(hidden.map((name) => [name, '***'])) }
        }),
      }
      const from = file === undefined ? 'no settings file' : `settings file ${file}`
      print(
        options.json,
        { file: file ?? null, settings: shown, peers: peers.map(({ name }) => name) },
        `# ${from}; ${peers.length} peers in ${config.peers}\n${stringify(shown).trimEnd()}`,
      )
    })
  withExamples(check, 'config check', 'config check --config /etc/hyperactive.yaml')
  return new Command('config').description('look at the settings').addCommand(check)
}

/** A CouchDB's address without its password. */
function maskUrl(text: string | undefined): string {
  return text === undefined ? 'embedded store' : withoutPassword(text)
}

/** How notices are sent, without passwords and without what lets anybody post to a webhook. */
function shownNotices({ smtp, everyMinutes }: Config['notices'], { smtpUrl, webhook }: Secrets): object {
  return {
    ...(smtp && smtpUrl !== undefined ? { smtp: { url: withoutPassword(smtpUrl), ...smtp } } : {}),
    ...(webhook === undefined ? {} : { webhook: `${new URL(webhook).origin}/…` }),
    everyMinutes,
  }
}
