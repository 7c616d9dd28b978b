import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { partStore, storeSettings } from '../../../src/config/media.ts'
import { connectCouch } from '../../../src/couch/client.ts'
import { openBlobs } from '../../../src/media/blobs/open.ts'
import { couchSpace, testOfOwnStore, testOnCouchdb } from '../../helpers/couchdb.ts'
import { testFolder } from '../../helpers/folder.ts'
import { startStore } from '../../helpers/store.ts'
import { startS3Server } from '../../mirrors/s3-server.ts'
import { manifestOf, streamOf } from './bytes.ts'
import { readAll } from './places.ts'

const BUCKET = { kind: 's3', endpoint: 'https://s3.example.org/', bucket: 'media' } as const

function settle(given: unknown) {
  return partStore(storeSettings.parse(given), (path, problem) => new Error(`${path}: ${problem}`))
}

test('files are in a folder unless settings say otherwise; secrets stand apart', async (t) => {
  t.deepEqual(settle(undefined), { store: { kind: 'folder' }, secrets: {} })
  t.deepEqual(settle({ kind: 'folder', folder: '/srv/media' }).store, {
    kind: 'folder',
    folder: '/srv/media',
  })
  t.deepEqual(settle({ kind: 'couchdb' }), { store: { kind: 'couchdb' }, secrets: {} })
  const file = join(await testFolder(t), 'secret')
  await writeFile(file, 'very-secret\n')
  const store = { ...BUCKET, endpoint: 'https://s3.example.org', prefix: '', style: 'path' }
  for (const secret of [{ secretAccessKey: 'very-secret' }, { secretAccessKeyFile: file }])
    t.deepEqual(settle({ ...BUCKET, accessKeyId: 'node', ...secret }), {
      store,
      secrets: { accessKeyId: 'node', secretAccessKey: 'very-secret' },
    })
})

test('settings that cannot be are refused', (t) => {
  const both = { accessKeyId: 'node', secretAccessKey: 'x', secretAccessKeyFile: '/none' }
  const bad: [unknown, RegExp][] = [
    [{ kind: 'tape' }, /kind/],
    [{ kind: 'folder', folder: 'media' }, /absolute/],
    [{ kind: 'couchdb', url: 'http://x' }, /url/],
    [BUCKET, /media\.store: needs accessKeyId/],
    [{ ...BUCKET, accessKeyId: 'node' }, /needs accessKeyId/],
    [{ ...BUCKET, ...both }, /given twice/],
    [
      { ...BUCKET, accessKeyId: 'node', secretAccessKeyFile: '/none/such' },
      /secretAccessKeyFile.*cannot be read/,
    ],
    [{ ...BUCKET, endpoint: 'https://name:word@s3.example.org' }, /address alone/],
    [{ ...BUCKET, prefix: '../' }, /prefix/],
    [{ ...BUCKET, acl: 'public-read' }, /acl/],
  ]
  for (const [given, message] of bad) t.throws(() => settle(given), { message })
})

testOfOwnStore('each kind opens; the store of a node itself takes no files, and says so', async (t) => {
  const { couch } = await startStore(t)
  const data = await testFolder(t)
  const server = await startS3Server(t)
  const { name: _, ...bucket } = server.mirror
  const bytes = Buffer.from('a file')
  for (const given of [undefined, { ...bucket, ...server.secrets.bucket }]) {
    const { store, secrets } = settle(given)
    await using driver = await openBlobs(store, secrets, { data, couch })
    await driver.write(streamOf(bytes))
    t.true((await readAll(driver, manifestOf(bytes).sha256)).equals(bytes))
  }
  await t.throwsAsync(openBlobs({ kind: 'couchdb' }, {}, { data, couch }), {
    code: 'blob_store_unusable',
    message: /no attachments; use a folder/,
  })
  t.deepEqual(
    (await couch.request<string[]>({ path: '_all_dbs' })).filter((name) => name !== 'ledger'),
    [],
  )
})

testOnCouchdb('a CouchDB of its own takes files', async (t) => {
  const space = couchSpace()
  t.teardown(() => space.remove())
  await using couch = connectCouch(space.url, { prefix: space.prefix })
  await using driver = await openBlobs({ kind: 'couchdb' }, {}, { data: await testFolder(t), couch })
  const bytes = Buffer.from('{"what": "looks like JSON"}')
  await driver.write(streamOf(bytes))
  t.true((await readAll(driver, manifestOf(bytes).sha256)).equals(bytes))
  const { sha256 } = manifestOf(bytes)
  t.true(await driver.delete(sha256))
  t.is(await driver.stat(sha256), undefined)
  await driver.write(streamOf(bytes))
  t.true((await readAll(driver, sha256)).equals(bytes), 'what was deleted may come again')
})
