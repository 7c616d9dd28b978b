import { mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { isKeyText, keyFromSecret, loadNodeKey, verifySignature } from '../../src/ledger/keys.ts'
import { testFolder } from '../helpers/folder.ts'
import { newKey } from '../helpers/keys.ts'

test('the node’s key is made once, readable by its owner alone', async (t) => {
  const path = join(await testFolder(t), 'data', 'node.key')
  const [first, second] = await Promise.all([loadNodeKey(path), loadNodeKey(path)])
  t.is(first.publicKey, second.publicKey)
  t.is((await stat(path)).mode & 0o777, 0o600)
  t.is((await loadNodeKey(path)).publicKey, first.publicKey)
  t.true(isKeyText((await readFile(path, 'utf8')).trim()))
})

test('a damaged key file is told and not overwritten', async (t) => {
  const folder = await testFolder(t)
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'node.key'), 'nonsense\n')
  await t.throwsAsync(loadNodeKey(join(folder, 'node.key')), { code: 'bad_key_file' })
  t.is(await readFile(join(folder, 'node.key'), 'utf8'), 'nonsense\n')
})

test('a signature is valid for its bytes, its key and in its one spelling', async (t) => {
  const key = newKey()
  const bytes = Buffer.from('a text')
  const signature = key.sign(bytes)
  t.true(await verifySignature(bytes, key.publicKey, signature))
  t.false(await verifySignature(Buffer.from('a test'), key.publicKey, signature))
  t.false(await verifySignature(bytes, newKey().publicKey, signature))
  t.false(await verifySignature(bytes, 'nonsense', signature))
  t.false(await verifySignature(bytes, key.publicKey, `${signature}==`))
  t.false(await verifySignature(bytes, key.publicKey, ''))
})

test('an edit link’s secret is a key or nothing', (t) => {
  const seed = Buffer.alloc(32, 7)
  t.truthy(keyFromSecret(seed.toString('base64url')))
  t.is(keyFromSecret('too short'), undefined)
  t.is(keyFromSecret(`${seed.toString('base64url').slice(0, -1)}!`), undefined)
})

test('derived secrets differ by purpose and stay the same', (t) => {
  const key = newKey()
  t.deepEqual(key.derive('a'), key.derive('a'))
  t.notDeepEqual(key.derive('a'), key.derive('b'))
})
