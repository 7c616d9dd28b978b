import test from 'ava'
import * as fc from 'fast-check'
import { collate } from 'pouchdb-collate'
import { BEHIND_ALL, orderedString, orderedValue } from '../../src/couch/embedded/key-order.ts'

const RUNS = { numRuns: 5000 }

const units = fc.string({
  unit: fc.constantFrom('\u0000', '\u0001', '\u0002', 'a', '\ud7ff', '\ud83d', '\ude00', '\ue000', '\uffff'),
})
const numbers = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.integer(),
  fc.constantFrom(-0, 0, -1, -1.0000000000000002),
)
const { value: keys } = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom(null, false, true),
    numbers,
    fc.string({ unit: 'binary' }),
    units,
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.oneof(fc.string(), units), tie('value'), { maxKeys: 3, noNullPrototype: true }),
  ),
}))

/** LevelDB compares the bytes. */
function compareBytes(a: string, b: string): number {
  return Buffer.compare(Uint8Array.from(Buffer.from(a)), Uint8Array.from(Buffer.from(b)))
}

test('keys sort in LevelDB as PouchDB collates them, and different ones stay different', (t) => {
  fc.assert(
    fc.property(keys, keys, (a, b) => {
      const expected = Math.sign(collate(a, b))
      const [x, y] = [orderedValue(a), orderedValue(b)]
      t.is(compareBytes(x, y), expected)
      t.is(x < y ? -1 : Number(x > y), expected)
    }),
    RUNS,
  )
  t.pass()
})

test('what follows a key does not change its order', (t) => {
  fc.assert(
    fc.property(keys, keys, fc.string(), units, (a, b, idOfA, idOfB) => {
      const expected = Math.sign(collate(a, b)) || Math.sign(collate(idOfA, idOfB))
      const [x, y] = [orderedValue(a) + orderedString(idOfA), orderedValue(b) + orderedString(idOfB)]
      t.is(compareBytes(x, y), expected)
      t.is(compareBytes(x, orderedValue(a) + BEHIND_ALL), -1)
    }),
    RUNS,
  )
  t.pass()
})
