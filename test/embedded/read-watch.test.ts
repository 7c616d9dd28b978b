import { join } from 'node:path'
import { promisify } from 'node:util'
import test from 'ava'
import { openLevel } from '../../src/couch/embedded/level.ts'
import { watchReads } from '../../src/couch/embedded/read-watch.ts'
import { testFolder } from '../helpers/folder.ts'
import { until } from '../helpers/wait.ts'

test('a read that does not end is waited for, and that is said', async (t) => {
  const level = await openLevel(join(await testFolder(t), 'level'), true)
  t.teardown(() => promisify(level.close.bind(level))())
  const said: number[] = []
  const reads = watchReads(level, { patienceMs: 1, told: (count) => said.push(count) })
  await reads.ended()
  const [one, other] = [level.iterator({}), level.iterator({})]
  let hasEnded = false
  const ended = reads.ended().then(() => (hasEnded = true))
  await until('it is said', () => said.length > 0)
  t.deepEqual(said, [2])
  t.false(hasEnded)
  for (const iterator of [one, other]) await promisify(iterator.end.bind(iterator))()
  await ended
  t.deepEqual(said, [2])
})
