import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createReadStream } from 'node:fs'
import { connect, createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import test from 'ava'
import * as fc from 'fast-check'
import { PIECE_BYTES } from '../../../src/media/blobs/blob.ts'
import type { BlobManifest } from '../../../src/media/blobs/blob.ts'
import { usageOf } from '../../../src/media/blobs/driver.ts'
import type { BlobDriver } from '../../../src/media/blobs/driver.ts'
import { scrub } from '../../../src/media/blobs/scrub.ts'
import { until } from '../../helpers/wait.ts'
import { manifestOf, pieceOf, streamOf } from './bytes.ts'
import { PLACES, readAll } from './places.ts'

const MANY = { bytesPerSecond: 1e12 }

/** Three pieces, the last of which is short. */
function threePieces(): Buffer {
  return randomBytes(2 * PIECE_BYTES + 12_345)
}

async function holdsNothing(driver: BlobDriver): Promise<boolean> {
  return (await driver.list()).blobs.length === 0
}

/** What a look at everything finds. */
async function found(driver: BlobDriver) {
  return Array.fromAsync(scrub(driver, MANY))
}

async function writePieces(driver: BlobDriver, bytes: Uint8Array, order: number[]): Promise<boolean[]> {
  const manifest = manifestOf(bytes)
  const whole: boolean[] = []
  for (const index of order) whole.push(await driver.writePiece(manifest, index, pieceOf(bytes, index)))
  return whole
}

for (const [where, open] of Object.entries(PLACES)) {
  test(`${where}, a stream is kept as what it is, and read again`, async (t) => {
    const { driver, again } = await open(t)
    const bytes = threePieces()
    const wanted = manifestOf(bytes)
    t.deepEqual(await driver.write(streamOf(bytes), { sha256: wanted.sha256 }), wanted)
    for (const each of [driver, await again()]) {
      t.deepEqual(await each.stat(wanted.sha256), wanted)
      t.true((await readAll(each, wanted.sha256)).equals(bytes))
      t.deepEqual(await each.pieces(wanted), new Set([0, 1, 2]))
      t.deepEqual(await each.list(), {
        blobs: [{ sha256: wanted.sha256, bytes: bytes.length, isWhole: true }],
        next: undefined,
      })
    }
    t.deepEqual(await found(driver), [{ sha256: wanted.sha256, bytes: bytes.length, state: 'sound' }])
  })

  test(`${where}, a range is exactly what was asked for`, async (t) => {
    const { driver } = await open(t)
    const bytes = threePieces()
    const { sha256 } = await driver.write(streamOf(bytes))
    const edges = [0, 1, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, bytes.length - 2, bytes.length - 1]
    const position = fc.oneof(fc.constantFrom(...edges), fc.nat(bytes.length - 1))
    const property = fc.asyncProperty(position, position, fc.boolean(), async (one, other, toEnd) => {
      const [first, last] = [Math.min(one, other), toEnd ? undefined : Math.max(one, other)]
      const reading = await driver.read(sha256, { first, last })
      const end = last ?? bytes.length - 1
      t.deepEqual([reading.bytes, reading.first, reading.last], [bytes.length, first, end])
      t.true((await buffer(reading.stream)).equals(bytes.subarray(first, end + 1)))
    })
    await fc.assert(property, { numRuns: 15 })
    t.is((await readAll(driver, sha256, { first: bytes.length - 3, last: 1e15 })).length, 3)
    for (const range of [
      { first: bytes.length },
      { first: 5, last: 4 },
      { first: -1 },
      { first: 0.5 },
      { first: Number.NaN },
      { last: -1 },
    ])
      await t.throwsAsync(driver.read(sha256, range), { code: 'blob_bad_range' })
  })

  test(`${where}, a reader who does not go on is not read ahead for`, async (t) => {
    const { driver } = await open(t)
    const bytes = threePieces()
    const { sha256 } = await driver.write(streamOf(bytes))
    const { stream } = await driver.read(sha256)
    await once(stream, 'readable')
    await until(
      'nothing is being read',
      () => !(stream as unknown as { _readableState: { reading: boolean } })._readableState.reading,
    )
    t.true(stream.readableLength <= PIECE_BYTES)
    t.true((await buffer(stream)).equals(bytes))
    const other = await driver.read(sha256)
    other.stream.destroy()
    await once(other.stream, 'close')
    const midway = await driver.read(sha256)
    for await (const _ of midway.stream) break
    t.true(midway.stream.destroyed)
  })

  test(`${where}, pieces come in any order, and over restarts`, async (t) => {
    const { driver, again } = await open(t)
    const bytes = threePieces()
    const manifest = manifestOf(bytes)
    t.deepEqual(await driver.pieces(manifest), new Set())
    t.deepEqual(await writePieces(driver, bytes, [2, 0]), [false, false])
    const later = await again()
    t.deepEqual(await later.pieces(manifest), new Set([0, 2]))
    t.is(await later.stat(manifest.sha256), undefined)
    await t.throwsAsync(later.read(manifest.sha256), { code: 'blob_missing' })
    t.deepEqual(Buffer.from(await later.readPiece(manifest, 2)), Buffer.from(pieceOf(bytes, 2)))
    for (const index of [1, 3, -1])
      await t.throwsAsync(later.readPiece(manifest, index), { code: 'blob_missing' })
    t.like((await later.list()).blobs, { length: 1, 0: { sha256: manifest.sha256, isWhole: false } })
    t.like(await usageOf(later), { blobs: 0, bytes: 0, incomplete: 1 })
    t.like(await found(later), { length: 1, 0: { state: 'incomplete' } })
    t.deepEqual(await writePieces(later, bytes, [2, 1]), [false, true])
    t.true((await readAll(later, manifest.sha256)).equals(bytes))
    await t.throwsAsync(later.readPiece(manifest, 3), { code: 'blob_missing' })
    t.deepEqual(await usageOf(later), {
      blobs: 1,
      bytes: bytes.length,
      incomplete: 0,
      incompleteBytes: 0,
    })
    t.deepEqual(await writePieces(later, bytes, [1]), [true], 'once more is no harm')
    const others = threePieces()
    t.deepEqual(await writePieces(later, others, [0, 1, 2]), [false, false, true])
    t.true((await readAll(later, manifestOf(others).sha256)).equals(others))
  })

  test(`${where}, a piece that is not what it should be is not kept`, async (t) => {
    const { driver } = await open(t)
    const bytes = threePieces()
    const manifest = manifestOf(bytes)
    const wrong: [number, Uint8Array][] = [
      [0, pieceOf(bytes, 1)],
      [2, pieceOf(bytes, 2).subarray(1)],
      [0, pieceOf(bytes, 0).subarray(1)],
      [1, randomBytes(PIECE_BYTES)],
      [3, pieceOf(bytes, 0)],
      [-1, pieceOf(bytes, 0)],
      [0.5, pieceOf(bytes, 0)],
      [0, Buffer.alloc(0)],
    ]
    for (const [index, piece] of wrong)
      await t.throwsAsync(driver.writePiece(manifest, index, piece), { code: 'blob_mismatch' })
    t.deepEqual(await driver.pieces(manifest), new Set())
    t.true(await holdsNothing(driver))
  })

  test(`${where}, pieces of a manifest that lies come to nothing`, async (t) => {
    const { driver } = await open(t)
    const bytes = threePieces()
    const manifest = manifestOf(bytes)
    const others = threePieces()
    const lie: BlobManifest = { ...manifestOf(others), sha256: manifest.sha256 }
    const write = (index: number) => driver.writePiece(lie, index, pieceOf(others, index))
    await writePieces(driver, bytes, [1])
    t.false(await write(2))
    t.false(await write(1))
    t.deepEqual(await driver.pieces(manifest), new Set([1]), 'they are none of the true one')
    await t.throwsAsync(write(0), { code: 'blob_bad_manifest' })
    t.deepEqual(await driver.pieces(lie), new Set())
    t.is(await driver.stat(manifest.sha256), undefined)
    t.deepEqual(await driver.pieces(manifest), new Set([1]), 'and take none of its own away')
    t.false(await write(0))
    t.deepEqual(await writePieces(driver, bytes, [0, 2]), [false, true])
    await t.throwsAsync(driver.pieces(lie), { code: 'blob_bad_manifest' })
    await t.throwsAsync(write(0), { code: 'blob_bad_manifest' })
    t.true((await readAll(driver, manifest.sha256)).equals(bytes))
    t.like(await usageOf(driver), { blobs: 1, bytes: bytes.length, incomplete: 0 })
  })

  test(`${where}, pieces that a lie and the truth have in common stay`, async (t) => {
    const { driver } = await open(t)
    const bytes = threePieces()
    const manifest = manifestOf(bytes)
    const others = Buffer.concat([bytes.subarray(0, 2 * PIECE_BYTES), randomBytes(12_345)])
    const lie: BlobManifest = { ...manifestOf(others), sha256: manifest.sha256 }
    await writePieces(driver, bytes, [0, 1])
    for (const index of [0, 1]) await driver.writePiece(lie, index, pieceOf(others, index))
    await t.throwsAsync(driver.writePiece(lie, 2, pieceOf(others, 2)), { code: 'blob_bad_manifest' })
    t.deepEqual(await driver.pieces(manifest), new Set([0, 1]))
    t.true(await driver.writePiece(manifest, 2, pieceOf(bytes, 2)))
    t.true((await readAll(driver, manifest.sha256)).equals(bytes))
  })

  test(`${where}, of a stream that fails nothing is kept`, async (t) => {
    const { driver } = await open(t)
    const bytes = threePieces()
    const failing = (error?: Error) =>
      Readable.from(
        (async function* () {
          yield bytes.subarray(0, PIECE_BYTES + 5)
          if (error) throw error
          yield bytes.subarray(PIECE_BYTES + 5)
        })(),
        { objectMode: false },
      )
    const problem = new Error('the sender is gone')
    t.is(await t.throwsAsync(driver.write(failing(problem))), problem)
    const early = Readable.from([], { objectMode: false })
    early.destroy(problem)
    t.is(await t.throwsAsync(driver.write(early)), problem)
    const { sha256 } = manifestOf(bytes)
    await t.throwsAsync(driver.write(streamOf(bytes.subarray(0, -1)), { sha256 }), { code: 'blob_mismatch' })
    const long = failing()
    await t.throwsAsync(driver.write(long, { mostBytes: bytes.length - 1 }), { code: 'blob_too_large' })
    t.true(long.destroyed)
    await t.throwsAsync(driver.write(Readable.from([], { objectMode: false })), { code: 'blob_empty' })
    const stop = new AbortController()
    const aborted = driver.write(
      Readable.from(
        (function* () {
          yield bytes.subarray(0, PIECE_BYTES)
          stop.abort(problem)
          yield bytes.subarray(PIECE_BYTES)
        })(),
        { objectMode: false },
      ),
      { signal: stop.signal },
    )
    t.is(await t.throwsAsync(aborted), problem)
    t.true(await holdsNothing(driver))
    t.deepEqual(await driver.write(streamOf(bytes), { mostBytes: bytes.length }), manifestOf(bytes))
  })

  test(`${where}, a sender that is cut off is told as that, and as no fault of the place`, async (t) => {
    const { driver } = await open(t)
    const server = createServer((socket) => {
      socket.write(Buffer.alloc(PIECE_BYTES + 5), () => socket.resetAndDestroy())
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    t.teardown(() => server.close())
    const { port } = server.address() as AddressInfo
    await t.throwsAsync(driver.write(connect(port, '127.0.0.1')), { code: 'ECONNRESET' })
    await t.throwsAsync(driver.write(createReadStream('/none/such')), { code: 'ENOENT' })
    t.true(await holdsNothing(driver))
  })

  test(`${where}, what is deleted is gone, also while it is read`, async (t) => {
    const { driver } = await open(t)
    const bytes = threePieces()
    const { sha256 } = await driver.write(streamOf(bytes))
    const other = threePieces()
    await writePieces(driver, other, [1])
    const { stream } = await driver.read(sha256)
    const chunks: Buffer[] = []
    let problem: unknown
    try {
      for await (const chunk of stream as AsyncIterable<Buffer>) {
        chunks.push(chunk)
        if (chunks.length === 1) t.true(await driver.delete(sha256))
      }
    } catch (error) {
      problem = error
    }
    const read = Buffer.concat(chunks)
    t.true(bytes.subarray(0, read.length).equals(read))
    if (read.length < bytes.length) t.like(problem, { code: 'blob_missing' })
    else t.is(problem, undefined)
    t.is(await driver.stat(sha256), undefined)
    await t.throwsAsync(driver.read(sha256), { code: 'blob_missing' })
    t.false(await driver.delete(sha256))
    t.true(await driver.delete(manifestOf(other).sha256))
    t.deepEqual(await driver.pieces(manifestOf(other)), new Set())
    t.true(await holdsNothing(driver))
    t.deepEqual(await writePieces(driver, other, [0, 1, 2]), [false, false, true], 'it may come again')
    t.deepEqual(await found(driver), [
      { sha256: manifestOf(other).sha256, bytes: other.length, state: 'sound' },
    ])
  })

  test(`${where}, what comes and goes all the time is whole or missing, and never damaged`, async (t) => {
    const { driver, isTorn } = await open(t)
    const bytes = randomBytes(3000)
    const manifest = manifestOf(bytes)
    const over = new AbortController()
    const seen = new Set<unknown>()
    const look = async () => {
      while (!over.signal.aborted) {
        const [stat, read, piece] = await Promise.allSettled([
          driver.stat(manifest.sha256),
          readAll(driver, manifest.sha256),
          driver.readPiece(manifest, 0),
        ])
        for (const each of [stat, read, piece])
          if (each.status === 'rejected') seen.add((each.reason as { code?: string }).code)
        for (const each of [read, piece])
          if (each.status === 'fulfilled') t.true(bytes.equals(Buffer.from(each.value)))
        if (stat.status === 'fulfilled' && stat.value) t.deepEqual(stat.value, manifest)
      }
    }
    const looking = [look(), look()]
    for (let turn = 0; turn < 15; turn += 1) {
      await (turn % 2 === 0 ? driver.write(streamOf(bytes)) : driver.writePiece(manifest, 0, bytes))
      await driver.delete(manifest.sha256)
    }
    over.abort()
    await Promise.all(looking)
    if (isTorn === true) seen.delete('blob_damaged')
    t.deepEqual(seen, new Set(['blob_missing']))
  })

  test(`${where}, the same file may be written by many at once`, async (t) => {
    const { driver, again, isTorn } = await open(t)
    const bytes = threePieces()
    const manifest = manifestOf(bytes)
    const other = isTorn === true ? driver : await again()
    const streams = [driver, other, driver].map((each) => each.write(streamOf(bytes)))
    if (isTorn === true) await Promise.all(streams)
    const pieces = [0, 1, 2, 2, 1, 0].map((index) =>
      driver.writePiece(manifest, index, pieceOf(bytes, index)),
    )
    await Promise.all([...streams, ...pieces])
    t.deepEqual(await Promise.all(streams), [manifest, manifest, manifest])
    t.deepEqual(await found(driver), [{ sha256: manifest.sha256, bytes: bytes.length, state: 'sound' }])
    const third = threePieces()
    const all = [2, 1, 0].map((index) => driver.writePiece(manifestOf(third), index, pieceOf(third, index)))
    t.is((await Promise.all(all)).filter(Boolean).length, 1)
    t.true((await readAll(driver, manifestOf(third).sha256)).equals(third))
  })

  test(`${where}, everything is listed page by page`, async (t) => {
    const { driver } = await open(t)
    const files = Array.from({ length: 12 }, (_, number) => Buffer.from(`file ${number}`))
    for (const file of files) await driver.write(streamOf(file))
    const partial = threePieces()
    await writePieces(driver, partial, [1])
    const names = [...files, partial].map((file) => manifestOf(file).sha256).sort()
    for (const limit of [1, 5, 12, 13, 14]) {
      const seen: string[] = []
      let next: string | undefined
      do {
        const page = await driver.list({ after: next, limit })
        t.true(page.blobs.length <= limit)
        seen.push(...page.blobs.map(({ sha256 }) => sha256))
        next = page.next
      } while (next !== undefined)
      t.deepEqual(seen, names)
    }
    const after = names[6] ?? ''
    const rest = await Array.fromAsync(scrub(driver, { ...MANY, after }))
    t.deepEqual(
      rest.map(({ sha256 }) => sha256),
      names.slice(7),
    )
  })

  test(`${where}, damage is found, and mended by pieces or by the whole`, async (t) => {
    const { driver, damage } = await open(t)
    const bytes = threePieces()
    const { sha256 } = await driver.write(streamOf(bytes))
    const manifest = manifestOf(bytes)
    const sound = [{ sha256, bytes: bytes.length, state: 'sound' as const }]
    await damage(manifest, 1)
    await damage(manifest, 2)
    const [first, ...none] = await found(driver)
    t.deepEqual(none, [])
    t.like(first, { sha256, state: 'damaged' })
    t.deepEqual(first?.damage, { manifest, pieces: [1, 2] })
    await t.throwsAsync(driver.readPiece(manifest, 1), { code: 'blob_damaged' })
    t.deepEqual(await writePieces(driver, bytes, first?.damage?.pieces ?? []), [true, true])
    t.deepEqual(await found(driver), sound)
    await damage(manifest, 0)
    await driver.write(streamOf(bytes))
    t.deepEqual(await found(driver), sound)
  })

  test(`${where}, a look at everything takes its time, and can be stopped`, async (t) => {
    const { driver } = await open(t)
    const bytes = randomBytes(200_000)
    await driver.write(streamOf(bytes))
    const begunMs = performance.now()
    await Array.fromAsync(scrub(driver, { bytesPerSecond: 400_000 }))
    t.true(performance.now() - begunMs >= 490)
    const stop = new AbortController()
    const slow = Array.fromAsync(scrub(driver, { bytesPerSecond: 1, signal: stop.signal }))
    const reason = new Error('enough')
    setTimeout(() => stop.abort(reason), 50)
    t.is(await t.throwsAsync(slow), reason)
  })

  test(`${where}, what is no digest names nothing`, async (t) => {
    const { driver } = await open(t)
    for (const name of [
      '',
      '..',
      '../../../etc/passwd',
      'A'.repeat(64),
      `${'a'.repeat(64)}/x`,
      'a'.repeat(63),
    ]) {
      t.is(await driver.stat(name), undefined)
      t.false(await driver.delete(name))
      await t.throwsAsync(driver.read(name), { code: 'blob_missing' })
    }
  })
}
