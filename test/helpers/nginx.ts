import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import { testFolder } from './folder.ts'
import { freePort, ServerProcess } from './server-process.ts'

const EXECUTABLE = '/usr/sbin/nginx'

/** Whether Debian's nginx is on this machine; says so loudly when it is not. */
export function hasNginx(): boolean {
  if (existsSync(EXECUTABLE)) return true
  process.stderr.write(`\n!!! ${EXECUTABLE} is not installed: the tests behind it are SKIPPED !!!\n\n`)
  return false
}

export interface Nginx {
  port: number
  /** All that it may write is below this folder. */
  folder: string
  /** Ends it before the test does. */
  stop(): Promise<void>
}

export interface NginxSetting {
  /** One of the project's samples. */
  sample?: string
  /** What stands in the sample, and what is to stand there instead. */
  instead?: Readonly<Record<string, string>>
}

/** A real nginx by one of the project's samples in front of a node; only ports, paths and names are other ones. */
export async function startNginx(
  t: ExecutionContext,
  nodeAddress: string,
  { sample: name = 'hyperactive.conf', instead = {} }: NginxSetting = {},
): Promise<Nginx> {
  const folder = await testFolder(t)
  const port = await freePort()
  const sample = await readFile(`deploy/nginx/${name}`, 'utf8')
  const changed = Object.entries(instead).reduce((text, [from, to]) => text.replaceAll(from, to), sample)
  const config = changed
    .replace(' default_server;', ';')
    .replaceAll('listen 80;', `listen 127.0.0.1:${port};`)
    .replace('server 127.0.0.1:8080;', `server ${new URL(nodeAddress).host};`)
    .replace('/run/hyperactive-nginx.pid', join(folder, 'nginx.pid'))
    .replaceAll('/var/lib/nginx/', `${folder}/`)
  const file = join(folder, 'nginx.conf')
  await writeFile(file, config)
  await mkdir(join(folder, 'logs'))
  const flags = ['-p', folder, '-c', file, '-e', join(folder, 'logs/before-the-configuration.log')]
  // As root it would become somebody who may not enter the folder of the test.
  const user = process.getuid?.() === 0 ? ' user root;' : ''
  const server = new ServerProcess({
    command: EXECUTABLE,
    args: [...flags, '-g', `daemon off;${user}`],
    answers: async () => (await fetch(`http://127.0.0.1:${port}/livez`)).status < 500,
  })
  const stop = async () => {
    await server.stop()
    await writeFile(join(folder, 'logs/output.log'), server.output)
  }
  t.teardown(stop)
  await server.start()
  return { port, folder, stop }
}
