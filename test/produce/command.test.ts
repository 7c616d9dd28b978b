import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import test from 'ava'
import { BARE } from '../helpers/environment.ts'
import { publish } from '../helpers/forms.ts'
import { testFolder } from '../helpers/folder.ts'
import { startNode } from '../helpers/node.ts'
import { brokenLinks, differences, filesOf, produce } from '../helpers/produced.ts'
import { until } from '../helpers/wait.ts'

const run = promisify(execFile)
const MAIN = join(import.meta.dirname, '../../src/main.ts')
const FLAGS = ['--disable-warning=ExperimentalWarning', MAIN]

test('a folder of somebody, a full disk and a killed command: each is told, and the next run goes on rightly', async (t) => {
  const node = await startNode(t, { HYPERACTIVE_ABUSE_LIMITS: 'off' })
  for (let number = 0; number < 30; number += 1)
    await publish(node, { title: `Story ${number}`, tags: `tag ${number}`, author: `Writer ${number}` })
  const folder = await testFolder(t)
  const mine = join(folder, 'mine')
  await mkdir(mine)
  await writeFile(join(mine, 'letter.txt'), 'mine')
  const refused = await node.run('produce', '--all', '--out', mine)
  t.is(refused.code, 1)
  t.regex(refused.err, /mine holds other files/)
  t.deepEqual(await readdir(mine), ['letter.txt'])
  t.is((await node.run('produce', '--out', mine)).code, 2)

  const out = join(folder, 'out')
  const args = ['produce', '--all', '--out', out, '--data', node.data, '--peers', node.peers]
  // The kernel refuses what would make a file larger, as a full disk does.
  const limited = ['--fsize=3000:', process.execPath, ...FLAGS, ...args]
  const failed = await t.throwsAsync(run('prlimit', limited, { env: { PATH: process.env.PATH } }))
  t.regex(String((failed as Error & { stderr?: string }).stderr), /cannot be written/)
  t.false((await readdir(out, { recursive: true })).some((name) => name.endsWith('.part')))

  const child = spawn(process.execPath, [...FLAGS, ...args], {
    stdio: 'ignore',
    env: BARE,
  })
  const closed = once(child, 'close')
  await until('some of it is written', async () => (await filesOf(out).catch(() => new Map())).size > 20)
  child.kill('SIGKILL')
  await closed
  await produce(node, out)
  const fresh = join(folder, 'fresh')
  await produce(node, fresh)
  t.deepEqual(await differences(out, fresh), [])
  t.deepEqual(brokenLinks(await filesOf(out)), [])
})
