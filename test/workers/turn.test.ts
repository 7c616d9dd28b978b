import { join } from 'node:path'
import test from 'ava'
import { loadConfig } from '../../src/config/config.ts'
import { awaitTurn } from '../../src/workers/turn.ts'
import { testFolder } from '../helpers/folder.ts'
import { SECRET, startFronts } from '../helpers/fronts.ts'
import { startStore } from '../helpers/store.ts'
import { until } from '../helpers/wait.ts'

test('a process waits for its turn also when nobody can read where the one that writes is reached', async (t) => {
  const store = await startStore(t)
  const writer = await startFronts(t, 0)
  const database = await store.couch.ensureDatabase('access')
  let renewed = 0
  let rev: string | undefined
  const name = async (address: unknown) => {
    const lease = { type: 'writer', holder: 'another', process: 'another', renewed: (renewed += 1), address }
    ;({ rev } = await database.put({ _id: 'writer', ...(rev === undefined ? {} : { _rev: rev }), ...lease }))
  }
  await name('not an address')
  const { config } = loadConfig({ data: join(await testFolder(t), 'data'), port: '0' }, {})
  const stop = new AbortController()
  const answering = Promise.withResolvers<string>()
  const turn = awaitTurn({ store, config, secret: SECRET, waiting: answering.resolve, signal: stop.signal })
  const address = await Promise.race([answering.promise, turn.then(() => 'it does not wait')])
  const statusOf = async (path: string) => (await fetch(address + path)).status
  t.is(await statusOf('/numbers/one'), 503)
  await name(writer.address)
  await until('it follows', async () => (await statusOf('/numbers/one')) === 200)
  await name('https://127.0.0.1/')
  await until('it follows nobody', async () => (await statusOf('/numbers/one')) === 503)
  stop.abort()
  t.is(await turn, undefined)
})
