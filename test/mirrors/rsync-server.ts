import { execFile } from 'node:child_process'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { ExecutionContext } from 'ava'
import type { RsyncMirror } from '../../src/config/mirrors.ts'
import { testFolder } from '../helpers/folder.ts'
import { freePort, ServerProcess } from '../helpers/server-process.ts'

const run = promisify(execFile)

export interface RsyncServer {
  mirror: RsyncMirror
  /** What the mirror's files are below. */
  folder: string
  /** How often somebody has logged in by ssh. */
  logins(): Promise<number>
  start(): Promise<void>
  stop(): Promise<void>
}

/** A real sshd on loopback, as whoever runs the test, which lets one key in and, for that, rsync into one folder. */
export async function startRsyncServer(t: ExecutionContext): Promise<RsyncServer> {
  const own = await testFolder(t)
  const folder = join(own, 'site')
  await mkdir(folder)
  const [hostKey, userKey] = [join(own, 'host'), join(own, 'user')]
  for (const key of [hostKey, userKey])
    await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'test', '-f', key])
  const port = await freePort()
  const publicKey = (await readFile(`${userKey}.pub`, 'utf8')).trim()
  await writeFile(
    join(own, 'authorized'),
    `restrict,command="/usr/bin/rrsync -no-lock ${own}" ${publicKey}\n`,
  )
  const hostPublic = (await readFile(`${hostKey}.pub`, 'utf8')).trim()
  await writeFile(join(own, 'known'), `[127.0.0.1]:${port} ${hostPublic}\n`)
  const log = join(own, 'log')
  await writeFile(log, '')
  const config = [
    `ListenAddress 127.0.0.1:${port}`,
    `HostKey ${hostKey}`,
    `AuthorizedKeysFile ${join(own, 'authorized')}`,
    `PidFile ${join(own, 'pid')}`,
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'PermitRootLogin prohibit-password',
    'StrictModes no',
    'UsePAM no',
    'MaxStartups 100',
    'LogLevel VERBOSE',
  ]
  await writeFile(join(own, 'sshd_config'), `${config.join('\n')}\n`)
  // Where sshd puts itself away as root; anybody else's has no need of it.
  if (process.getuid?.() === 0) await mkdir('/run/sshd', { recursive: true, mode: 0o755 })
  const said = () => readFile(log, 'utf8')
  const server = new ServerProcess({
    command: '/usr/sbin/sshd',
    args: ['-D', '-f', join(own, 'sshd_config'), '-E', log],
    answers: async () => /Server listening/.test((await said()).split('terminating').at(-1) ?? ''),
    said,
  })
  t.teardown(() => server.stop())
  await server.start()
  return {
    folder,
    mirror: {
      name: 'friends',
      kind: 'rsync',
      host: '127.0.0.1',
      user: userInfo().username,
      port,
      folder: 'site',
      keyFile: userKey,
      knownHosts: join(own, 'known'),
    },
    async logins() {
      return (await readFile(log, 'utf8')).split('Accepted publickey').length - 1
    },
    start: () => server.start(),
    stop: () => server.stop(),
  }
}
