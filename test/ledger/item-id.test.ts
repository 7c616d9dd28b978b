import test from 'ava'
import * as fc from 'fast-check'
import { belongsTo, isItemId, itemTime, makeItemId } from '../../src/ledger/item-id.ts'
import { newKey } from '../helpers/keys.ts'

const author = newKey().publicKey

test('an id holds its time, sorts by it and belongs to its author alone', (t) => {
  fc.assert(
    fc.property(fc.nat(2 ** 40), fc.nat(2 ** 40), (a, b) => {
      const [first, second] = [makeItemId(author, a), makeItemId(author, b)]
      t.true(isItemId(first))
      t.is(itemTime(first), a)
      if (a !== b) t.is(first < second, a < b)
      t.true(belongsTo(first, author))
      t.false(belongsTo(first, newKey().publicKey))
    }),
  )
})

test('dates before 1970 sort as 1970, and the same salt gives the same id', (t) => {
  t.is(itemTime(makeItemId(author, -5)), 0)
  const salt = Buffer.from([1, 2])
  t.is(makeItemId(author, 77, salt), makeItemId(author, 77, salt))
})

test('what is no id is told', (t) => {
  const id = makeItemId(author, Date.now())
  for (const text of [
    '',
    'network',
    id.slice(1),
    `${id}0`,
    id.toUpperCase(),
    `${id.slice(0, 10)}0${id.slice(11)}`,
    id.replace(/.$/, 'u'),
  ]) {
    t.false(isItemId(text), text)
    t.false(belongsTo(text, author))
  }
})
