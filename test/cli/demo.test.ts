import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import test from 'ava'
import { BARE } from '../helpers/environment.ts'
import { until } from '../helpers/wait.ts'

const DEMO = join(import.meta.dirname, '../../src/demo.ts')

test('the demo is three seeded nodes in a ring; Ctrl-C stops them all', async (t) => {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', DEMO], {
    env: BARE,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  await until('the demo says what to try', () => output.includes('Ctrl-C stops all three'), 120_000)
  const nodes = [...output.matchAll(/^ {2}[a-z]+ +(http:\/\/\S+)\/ {3}\(process (\d+)\)/gm)]
  t.is(nodes.length, 3)
  for (const [, address = ''] of nodes) {
    await until('the node shows the articles', async () =>
      (await (await fetch(`${address}/newswire`)).text()).includes('/articles/'),
    )
  }
  child.kill('SIGINT')
  await once(child, 'exit')
  t.is(child.exitCode, 0)
  for (const [, , processId] of nodes) t.throws(() => process.kill(Number(processId), 0), { code: 'ESRCH' })
})
