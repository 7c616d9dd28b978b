import { randomBytes } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import type { ExecutionContext } from 'ava'
import { OwnLevel } from '../../src/couch/embedded/own-level.ts'
import { filesWith } from '../helpers/disk.ts'
import { testFolder } from '../helpers/folder.ts'
import { until } from '../helpers/wait.ts'

/** A database with a text in one of its tables, from where it has been removed since. */
async function withRemovedText(t: ExecutionContext) {
  const location = join(await testFolder(t), 'level')
  const level = await OwnLevel.open(location, true)
  t.teardown(() => level.close())
  const text = randomBytes(15).toString('base64url')
  await level.write([{ type: 'put', key: 'b', value: text }])
  await level.compact()
  t.deepEqual(
    (await filesWith(location, text)).map((name) => /\.\w+$/.exec(name)?.[0]),
    ['.ldb'],
  )
  const cursor = () => level.cursor({ gte: 'a', lt: 'c' }, { reverse: false, limit: 10 })
  const remove = () => level.write([{ type: 'del', key: 'b' }])
  const tables = async () => (await readdir(location)).filter((name) => name.endsWith('.ldb')).join()
  return { level, location, text, cursor, remove, tables }
}

test('what a read has begun with leaves the disk when the read has ended', async (t) => {
  const { level, location, text, cursor, remove } = await withRemovedText(t)
  const read = cursor()
  await remove()
  const compaction = level.compact()
  t.deepEqual(await read.next(10), [text])
  await read.end()
  await compaction
  t.deepEqual(await filesWith(location, text), [])
})

test('the files that a read holds while they are replaced leave the disk when the read has ended', async (t) => {
  const { level, location, text, cursor, remove, tables } = await withRemovedText(t)
  await remove()
  const before = await tables()
  const compaction = level.compact()
  const read = cursor()
  await until('files were replaced', async () => (await tables()) !== before)
  t.deepEqual(await read.next(10), [])
  await read.end()
  await compaction
  t.deepEqual(await filesWith(location, text), [])
})
