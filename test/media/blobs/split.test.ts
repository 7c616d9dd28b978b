import { randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import test from 'ava'
import * as fc from 'fast-check'
import { checkManifest, MOST_BLOB_BYTES, MOST_PIECES, PIECE_BYTES } from '../../../src/media/blobs/blob.ts'
import { split } from '../../../src/media/blobs/split.ts'
import { manifestOf, pieceOf } from './bytes.ts'

const POOL = randomBytes(2 * PIECE_BYTES + 100_000)

test('however a stream is cut, its pieces are the same', async (t) => {
  const edges = [1, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, 2 * PIECE_BYTES, POOL.length]
  const size = fc.oneof(fc.constantFrom(...edges), fc.integer({ min: 1, max: POOL.length }))
  const cuts = fc.array(fc.integer({ min: 1, max: PIECE_BYTES + 7 }), { minLength: 1, maxLength: 8 })
  const property = fc.asyncProperty(size, cuts, async (length, lengths) => {
    const bytes = POOL.subarray(0, length)
    const chunks = function* () {
      for (let at = 0, turn = 0; at < length; turn += 1) {
        // No smaller than some kilobytes, so that it ends.
        const end = at + Math.max(lengths[turn % lengths.length] ?? 1, 5000)
        yield bytes.subarray(at, end)
        at = end
      }
    }
    const seen: number[] = []
    const manifest = await split(Readable.from(chunks(), { objectMode: false }), async (piece) => {
      seen.push(piece.index)
      t.true(pieceOf(bytes, piece.index).length === piece.bytes.length)
      t.true(Buffer.from(piece.bytes).equals(pieceOf(bytes, piece.index)))
    })
    t.deepEqual(manifest, manifestOf(bytes))
    t.deepEqual(checkManifest(structuredClone(manifest)), manifest)
    t.deepEqual(seen, [...manifest.pieces.keys()])
  })
  await fc.assert(property, { numRuns: 25 })
})

test('no piece is read while another is being kept', async (t) => {
  let read = 0
  let kept = 0
  const source = Readable.from(
    (function* () {
      for (; read < 12; read += 1) yield POOL.subarray(0, PIECE_BYTES / 2)
    })(),
    { objectMode: false, highWaterMark: 1 },
  )
  await split(source, async () => {
    for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate)
    kept += 1
    t.true(read <= 2 * kept + 2)
  })
  t.is(kept, 6)
})

test('who cannot keep a piece ends the stream', async (t) => {
  const source = Readable.from([POOL], { objectMode: false })
  const problem = new Error('no')
  t.is(await t.throwsAsync(split(source, () => Promise.reject(problem))), problem)
  t.true(source.destroyed)
})

test('a manifest that cannot be is refused', (t) => {
  const good = manifestOf(POOL)
  t.deepEqual(checkManifest(structuredClone(good)), good)
  const one = manifestOf(Buffer.from('x'))
  const digest = 'a'.repeat(64)
  const bad: unknown[] = [
    undefined,
    null,
    'text',
    [],
    {},
    { ...good, more: 1 },
    { ...good, sha256: good.sha256.toUpperCase() },
    { ...good, sha256: '../../etc/passwd' },
    { ...good, sha256: `${good.sha256}\n` },
    { ...good, bytes: 0 },
    { ...good, bytes: -1 },
    { ...good, bytes: 1.5 },
    { ...good, bytes: Number.NaN },
    { ...good, bytes: '9' },
    { ...good, bytes: Number.MAX_SAFE_INTEGER },
    { ...good, bytes: 2 * PIECE_BYTES },
    { ...good, bytes: 3 * PIECE_BYTES + 1 },
    { ...good, pieces: [] },
    { ...good, pieces: 'a'.repeat(3) },
    { ...good, pieces: good.pieces.slice(1) },
    { ...good, pieces: [...good.pieces, digest] },
    { ...good, pieces: [good.pieces[0], 'g'.repeat(64), good.pieces[2]] },
    { ...good, pieces: { length: 3, 0: digest, 1: digest, 2: digest } },
    { ...one, pieces: [digest] },
    { sha256: digest, bytes: MOST_BLOB_BYTES + 1, pieces: Array<string>(MOST_PIECES + 1).fill(digest) },
    { sha256: digest, bytes: 1, pieces: Array(10_000_000) },
  ]
  for (const each of bad) t.throws(() => checkManifest(each), { code: 'blob_bad_manifest' })
  const most = { sha256: digest, bytes: MOST_BLOB_BYTES, pieces: Array<string>(MOST_PIECES).fill(digest) }
  t.is(checkManifest(most).pieces.length, MOST_PIECES)
})
