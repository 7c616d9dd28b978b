import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import { testFolder } from './folder.ts'
import { until } from './wait.ts'

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
  const child = spawn(EXECUTABLE, ['-j', 'none', '-F', ...places, '-p', mask], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()))
  t.teardown(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const closed = once(child, 'close')
    child.kill('SIGTERM')
    await closed
  })
  // It compiles its settings first.
  await until(
    'Varnish answers',
    async () => {
      if (child.exitCode !== null) throw new Error(output)
      return (await fetch(`http://127.0.0.1:${port}/livez`)).ok
    },
    120_000,
  )
  return { port, folder }
}
