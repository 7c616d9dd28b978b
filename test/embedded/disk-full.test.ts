import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import test from 'ava'
import { connectCouch } from '../../src/couch/client.ts'
import { startEmbeddedStore } from '../../src/couch/embedded/start.ts'
import { testFolder } from '../helpers/folder.ts'
import { until } from '../helpers/wait.ts'

const run = promisify(execFile)

/** From here on the kernel refuses what would make a file of the process larger: a full disk for one process. */
async function limitFiles(processId: number, bytes: number | 'unlimited'): Promise<void> {
  await run('prlimit', ['--pid', String(processId), `--fsize=${bytes}:`])
}

test('a full disk refuses writes, and loses nothing of what is acknowledged before and after', async (t) => {
  const store = await startEmbeddedStore({ folder: await testFolder(t) })
  t.teardown(() => store[Symbol.asyncDispose]())
  const couch = connectCouch(store.url.replace('//', `//${store.username}:${store.password}@`))
  t.teardown(() => couch[Symbol.asyncDispose]())
  const ledger = await couch.ensureDatabase('ledger')
  const acknowledged: string[] = []
  const put = async (id: string) => {
    await ledger.put({ _id: id, text: 'x'.repeat(1000 + acknowledged.length * 137) } as { _id: string })
    acknowledged.push(id)
  }
  const first = store.processId
  await limitFiles(first, 50_000)
  await t.throwsAsync(
    async () => {
      for (let number = 0; ; number += 1) await put(`before-${number}`)
    },
    { message: /File too large/ },
  )
  t.true(acknowledged.length > 5)
  await t.throwsAsync(put('while it is full'))
  t.truthy(await ledger.get('before-0'), 'what is there is served all the while')

  await limitFiles(first, 'unlimited')
  await until('it takes writes again', async () => {
    await put('after')
    return true
  })
  for (let number = 0; number < 30; number += 1) await put(`after-${number}`)

  const second = store.processId
  process.kill(second, 'SIGKILL')
  const { rows } = await until(
    'another process serves',
    async () => store.processId !== second && (await ledger.allDocs({})),
  )
  t.deepEqual(
    rows.map(({ key }) => key),
    [...acknowledged].sort(),
  )
})
