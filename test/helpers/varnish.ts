import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import { testFolder } from './folder.ts'
import { ServerProcess } from './server-process.ts'

const EXECUTABLE = '/usr/sbin/varnishd'
const SAMPLE = 'deploy/varnish/hyperactive.vcl'

/** Whether Debian's Varnish is on this machine; says so loudly when it is not. */
export function hasVarnish(): boolean {
  if (existsSync(EXECUTABLE)) return true
  process.stderr.write(`\n!!! ${EXECUTABLE} is not installed: the tests behind it are SKIPPED !!!\n\n`)
  return false
}

export interface Varnish {
  port: number
  /** All that it writes is below this folder. */
  folder: string
}

/** A real Varnish by the project's sample, run as it says, in front of a node; only ports and paths are other ones. */
export async function startVarnish(
  t: ExecutionContext,
  nodeAddress: string,
  instead: Readonly<Record<string, string>>,
  port: number,
): Promise<Varnish> {
  const folder = await testFolder(t)
  const sample = await readFile(SAMPLE, 'utf8')
  const [, mask = ''] = /-p (vsl_mask=\S+)/.exec(sample) ?? []
  const named = Object.entries(instead).reduce((text, [from, to]) => text.replaceAll(from, to), sample)
  const file = join(folder, 'hyperactive.vcl')
  await writeFile(file, named.replace('.port = "8080"', `.port = "${new URL(nodeAddress).port}"`))
  const places = ['-n', join(folder, 'work'), '-a', `127.0.0.1:${port}`, '-f', file, '-s', 'malloc,32m']
  // As root it would become somebody who may not enter the folder of the test.
  const server = new ServerProcess({
    command: EXECUTABLE,
    args: ['-j', 'none', '-F', ...places, '-p', mask],
    answers: async () => (await fetch(`http://127.0.0.1:${port}/livez`)).ok,
    // It compiles its settings first.
    boundMs: 120_000,
  })
  t.teardown(() => server.stop())
  await server.start()
  return { port, folder }
}
