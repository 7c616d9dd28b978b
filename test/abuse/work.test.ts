import { createHash } from 'node:crypto'
import test from 'ava'
import { isWork } from '../../src/web/abuse/work.ts'
import { prove } from '../helpers/work.ts'

test('work is what has the zero bits, on this token alone', (t) => {
  const [token, other] = ['m1abcdef.AAAAAAAAAAAAAAAAAAAAAA.B', 'm1abcdef.AAAAAAAAAAAAAAAAAAAAAA.C']
  const nonce = prove(token, 12)
  t.true(isWork(token, nonce, 12))
  t.true(isWork(token, nonce, 1), 'more than is asked for is enough')
  const bits = Math.clz32(createHash('sha256').update(`${token}:${nonce}`).digest().readUInt32BE(0))
  t.false(isWork(token, nonce, bits + 1))
  t.false(isWork(other, nonce, bits))
})

test('what is no number is no work, and costs no hash', (t) => {
  for (const nonce of ['', ' 1', '1e3', '-1', '0x1f', '١', '1\n', '9'.repeat(17), 'a'.repeat(1_000_000)])
    t.false(isWork('token', nonce, 0), nonce.slice(0, 20))
  t.false(isWork('', '1', 0), 'without a token there is nothing to work on')
})
