import { randomBytes } from 'node:crypto'
import dns from 'node:dns'
import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { createServer, request as ask } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import test from 'ava'
import type { ExecutionContext } from 'ava'
import { PIECE_BYTES } from '../../../src/media/blobs/blob.ts'
import { allBlobs } from '../../../src/media/blobs/driver.ts'
import { ObjectBlobs } from '../../../src/media/blobs/object-blobs.ts'
import { S3Objects } from '../../../src/media/blobs/s3-objects.ts'
import { testFolder } from '../../helpers/folder.ts'
import { startS3Server } from '../../mirrors/s3-server.ts'
import { manifestOf, pieceOf, streamOf } from './bytes.ts'
import { bucketOf, readAll, storeOf } from './places.ts'

// Names below localhost are this machine (RFC 6761); not every resolver knows that.
const { lookup } = dns
Object.assign(dns, {
  lookup: (name: string, ...rest: [object, () => void]) =>
    lookup(name.endsWith('.localhost') ? '127.0.0.1' : name, ...(rest as unknown as [() => void])),
})

async function blobsIn(t: ExecutionContext, objects: S3Objects): Promise<ObjectBlobs> {
  const driver = new ObjectBlobs(objects, await testFolder(t))
  t.teardown(() => driver[Symbol.asyncDispose]())
  return driver
}

test('each piece is an object, signed for, and the manifest is the last one', async (t) => {
  for (const style of ['path', 'host'] as const) {
    const server = await startS3Server(t, { style, region: 'eu-central-1', prefix: 'a/b/' })
    const mirror = { ...server.mirror, endpoint: server.address.replace('127.0.0.1', 's3.localhost') }
    const driver = await blobsIn(t, bucketOf({ ...server, mirror }))
    const bytes = randomBytes(PIECE_BYTES + 10)
    const { sha256, pieces } = await driver.write(streamOf(bytes))
    t.true((await readAll(driver, sha256)).equals(bytes))
    t.deepEqual(server.badlySigned, [])
    const bucket = style === 'path' ? '/bucket/' : '/'
    t.deepEqual(
      server.requests.filter((line) => line.startsWith('PUT')),
      [`00000-${pieces[0]}`, `00001-${pieces[1]}`, 'manifest'].map(
        (name) => `PUT ${bucket}a/b/${sha256}/${name}`,
      ),
    )
    const before = server.requests.length
    await readAll(driver, sha256, { first: PIECE_BYTES + 1 })
    t.is(server.requests.length - before, 2, 'the manifest and one piece')
  }
})

test('what others keep in a bucket is left alone', async (t) => {
  const server = await startS3Server(t)
  await using objects = bucketOf(server)
  const sha256 = manifestOf(Buffer.from('x')).sha256
  const theirs = ['README', `${sha256}/notes.txt`, `${'0'.repeat(64)}/manifest.old`, '~']
  for (const key of theirs) await objects.put(key, Buffer.from('theirs'))
  const driver = await blobsIn(t, bucketOf(server))
  await driver.write(streamOf(Buffer.from('x')))
  t.deepEqual((await driver.list()).blobs, [{ sha256, bytes: 1, isWhole: true }])
  t.true(await driver.delete(sha256))
  t.deepEqual((await Array.fromAsync(objects.list({}))).map(({ key }) => key).sort(), [...theirs].sort())
})

interface Disturbed {
  objects: S3Objects
  /** What is done to a request instead of passing it on; undefined passes it on. */
  instead: ((request: IncomingMessage, response: ServerResponse) => boolean) | undefined
}

/** A bucket behind a bad line. */
async function disturbed(t: ExecutionContext): Promise<Disturbed> {
  const server = await startS3Server(t)
  const line: Disturbed = { objects: undefined as unknown as S3Objects, instead: undefined }
  const between = createServer((request, response) => {
    if (line.instead?.(request, response) === true) {
      request.resume()
      return
    }
    const { method, headers, url } = request
    const onward = ask(server.address + url, { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers)
      answer.pipe(response)
    })
    request.pipe(onward)
  })
  between.listen(0, '127.0.0.1')
  await once(between, 'listening')
  t.teardown(() => {
    between.closeAllConnections()
    between.close()
  })
  const endpoint = `http://127.0.0.1:${(between.address() as AddressInfo).port}`
  line.objects = bucketOf({ ...server, mirror: { ...server.mirror, endpoint } })
  return line
}

/** The first so many requests of a method. */
function first(
  count: number,
  method: string,
  act: (response: ServerResponse) => void,
): { instead: NonNullable<Disturbed['instead']>; left: () => number } {
  let left = count
  const instead = (request: IncomingMessage, response: ServerResponse) => {
    if (request.method !== method || left === 0) return false
    left -= 1
    act(response)
    return true
  }
  return { instead, left: () => left }
}

test('a server that is busy for a moment is waited for', async (t) => {
  const line = await disturbed(t)
  const driver = await blobsIn(t, line.objects)
  const bytes = randomBytes(PIECE_BYTES + 10)
  const busy = first(2, 'PUT', (response) => response.writeHead(503).end())
  line.instead = busy.instead
  const { sha256 } = await driver.write(streamOf(bytes))
  t.is(busy.left(), 0)
  const cut = first(2, 'GET', (response) => response.destroy())
  line.instead = cut.instead
  t.true((await readAll(driver, sha256)).equals(bytes))
  t.is(cut.left(), 0)
})

/** Requests for the second piece. */
function ofPiece(act: (response: ServerResponse) => void): Disturbed['instead'] {
  return ({ url = '' }, response) => {
    if (!url.includes('/00001-')) return false
    act(response)
    return true
  }
}

test('an answer that is cut off, or is not what was kept, reaches no reader', async (t) => {
  const line = await disturbed(t)
  const driver = await blobsIn(t, line.objects)
  const bytes = randomBytes(PIECE_BYTES + 10)
  const { sha256 } = await driver.write(streamOf(bytes))
  line.instead = ofPiece((response) => {
    response.writeHead(200, { 'content-length': '10' })
    response.write('12345', () => response.destroy())
  })
  await t.throwsAsync(readAll(driver, sha256), { code: 'blob_store_unreachable' })
  line.instead = ofPiece((response) => response.end('1234567890'))
  await t.throwsAsync(readAll(driver, sha256), { code: 'blob_damaged' })
  line.instead = ofPiece((response) => response.end(Buffer.alloc(20 * 1024 * 1024)))
  await t.throwsAsync(readAll(driver, sha256), { code: 'blob_damaged' })
  line.instead = ofPiece((response) => response.writeHead(404).end())
  await t.throwsAsync(readAll(driver, sha256), { code: 'blob_missing' })
  line.instead = undefined
  t.true((await readAll(driver, sha256)).equals(bytes))
})

test('of what cannot be sent whole nothing stays, and it is said why', async (t) => {
  const line = await disturbed(t)
  const driver = await blobsIn(t, line.objects)
  const bytes = randomBytes(2 * PIECE_BYTES + 10)
  const answers: [number, string][] = [
    [507, 'blob_disk_full'],
    [500, 'blob_store_unreachable'],
    [403, 'blob_store_unusable'],
    [404, 'blob_store_unusable'],
    [301, 'blob_store_unusable'],
  ]
  for (const [status, code] of answers) {
    line.instead = ({ method, url = '' }, response) => {
      if (method !== 'PUT' || !url.includes('/00002-')) return false
      response.writeHead(status).end()
      return true
    }
    await t.throwsAsync(driver.write(streamOf(bytes)), { code })
    t.deepEqual((await driver.list()).blobs, [])
  }
  const manifest = manifestOf(bytes)
  for (const index of [0, 1]) t.false(await driver.writePiece(manifest, index, pieceOf(bytes, index)))
  await t.throwsAsync(driver.writePiece(manifest, 2, pieceOf(bytes, 2)))
  t.deepEqual(await driver.pieces(manifest), new Set([0, 1]))
  line.instead = ({ method, url = '' }, response) => {
    if (method !== 'PUT' || !url.endsWith('/manifest')) return false
    response.writeHead(500).end()
    return true
  }
  await t.throwsAsync(driver.writePiece(manifest, 2, pieceOf(bytes, 2)), { code: 'blob_store_unreachable' })
  t.is(await driver.stat(manifest.sha256), undefined)
  line.instead = undefined
  t.deepEqual(await driver.pieces(manifest), new Set([0, 1, 2]))
  t.deepEqual(await driver.stat(manifest.sha256), manifest, 'what had all its pieces is whole once it can be')
})

test('a server that is not there, and a bucket that is not, are told without the keys', async (t) => {
  const server = await startS3Server(t)
  const absent = { ...server, mirror: { ...server.mirror, endpoint: 'http://127.0.0.1:1' } }
  const nowhere = await blobsIn(t, bucketOf(absent))
  await t.throwsAsync(nowhere.stat('a'.repeat(64)), { code: 'blob_store_unreachable' })
  const other = { ...server, mirror: { ...server.mirror, bucket: 'unknown' } }
  const unknown = await blobsIn(t, bucketOf(other))
  for (const act of [
    () => unknown.stat('a'.repeat(64)),
    () => unknown.list(),
    () => unknown.write(streamOf(Buffer.from('x'))),
  ])
    await t.throwsAsync(act, { code: 'blob_store_unusable', message: /the bucket unknown/ })
  const keys = { accessKeyId: 'unknown', secretAccessKey: 'very-secret' }
  const stranger = await blobsIn(t, new S3Objects(storeOf(server), keys))
  const error = await t.throwsAsync(stranger.list(), { code: 'blob_store_unusable' })
  t.regex(error.message, /does not let this node in/)
  t.false(error.message.includes('secret-'))
})

test('what a server says of a refusal is told, and is told apart', async (t) => {
  const line = await disturbed(t)
  const driver = await blobsIn(t, line.objects)
  const refusals: [number, string, { code: string; message?: RegExp }][] = [
    [403, 'RequestTimeTooSkewed', { code: 'blob_store_unusable', message: /403 RequestTimeTooSkewed/ }],
    [403, 'QuotaExceeded', { code: 'blob_disk_full' }],
    [400, 'RequestTimeout', { code: 'blob_store_unreachable' }],
    [409, 'OperationAborted', { code: 'blob_store_unreachable' }],
    [400, '<secret/>', { code: 'blob_store_unusable', message: /answered with 400$/ }],
  ]
  for (const [status, word, wanted] of refusals) {
    line.instead = ({ method }, response) => {
      if (method !== 'PUT') return false
      response.writeHead(status).end(`<Error><Code>${word}</Code><Key>${'x'.repeat(100_000)}</Key></Error>`)
      return true
    }
    await t.throwsAsync(driver.write(streamOf(Buffer.from('x'))), wanted)
  }
})

test('a list that is no list, or ends where it should not, is not taken for all there is', async (t) => {
  const line = await disturbed(t)
  const driver = await blobsIn(t, line.objects)
  const head = '<ListBucketResult><IsTruncated>true</IsTruncated>'
  for (const text of [
    `${head}</ListBucketResult>`,
    `${head}<NextMarker>x</NextMarker></ListBucketResult>`,
    `${head}<NextContinuationToken></NextContinuationToken></ListBucketResult>`,
    `${head}<NextContinuationToken>again</NextContinuationToken></ListBucketResult>`,
    '<html><p>Log in here',
    '<ListBucketResult><Contents><Key>',
    'not <<xml',
    '{}',
    '',
  ]) {
    line.instead = (_, response) => {
      response.end(text)
      return true
    }
    await t.throwsAsync(driver.list(), { code: 'blob_store_unusable', message: /list of files/ }, text)
    await t.throwsAsync(driver.delete('a'.repeat(64)), { code: 'blob_store_unusable' })
  }
})

test('a server that does not know where to begin a list is listed all the same', async (t) => {
  const line = await disturbed(t)
  const driver = await blobsIn(t, line.objects)
  const files = ['one', 'two', 'three'].map((text) => Buffer.from(text))
  for (const file of files) await driver.write(streamOf(file))
  const objects = await Array.fromAsync(line.objects.list({}))
  const entries = objects.map(
    ({ key, bytes }) => `<Contents><Key>site/${key}</Key><Size>${bytes}</Size></Contents>`,
  )
  line.instead = (_, response) => {
    response.end(`<ListBucketResult>${entries.join('')}</ListBucketResult>`)
    return true
  }
  const seen = await Array.fromAsync(allBlobs({ list: (options) => driver.list({ ...options, limit: 1 }) }))
  t.deepEqual(
    seen.map(({ sha256 }) => sha256),
    files.map((file) => manifestOf(file).sha256).sort(),
  )
})

test('a piece that somebody took out of the bucket is told, and comes again', async (t) => {
  const server = await startS3Server(t)
  const driver = await blobsIn(t, bucketOf(server))
  const bytes = randomBytes(2 * PIECE_BYTES + 10)
  const manifest = await driver.write(streamOf(bytes))
  await using objects = bucketOf(server)
  await objects.remove([`${manifest.sha256}/00001-${manifest.pieces[1]}`])
  t.deepEqual(await driver.pieces(manifest), new Set([0, 2]))
  t.true(await driver.writePiece(manifest, 1, pieceOf(bytes, 1)))
  t.true((await readAll(driver, manifest.sha256)).equals(bytes))
})

test('nothing stays on the disk of what is sent to a bucket', async (t) => {
  const server = await startS3Server(t)
  const spool = join(await testFolder(t), 'spool')
  const driver = new ObjectBlobs(bucketOf(server), spool)
  t.teardown(() => driver[Symbol.asyncDispose]())
  await driver.write(streamOf(randomBytes(PIECE_BYTES + 5)))
  t.deepEqual(await readdir(spool), [])
})
