import test from 'ava'
import { patienceMs } from '../../../src/media/derive/whose-turn.ts'

const HOUR_MS = 60 * 60 * 1000
const MEMBERS = ['a', 'b', 'c', 'd', 'e']
const SIGNER = 'c'

function patienceOf(own: string, sha256: string, durationMs?: number): number {
  return patienceMs({ own, signer: SIGNER, members: MEMBERS, sha256, durationMs })
}

test('the node that published begins at once, the others one after the other, each an hour later', (t) => {
  const others = MEMBERS.filter((key) => key !== SIGNER)
  for (const sha256 of ['1'.repeat(64), '2'.repeat(64)]) {
    t.is(patienceOf(SIGNER, sha256), 0)
    const hours = others.map((own) => patienceOf(own, sha256) / HOUR_MS).sort((a, b) => a - b)
    t.deepEqual(hours, [1, 2, 3, 4])
  }
})

test('it is not always the same node that comes next', (t) => {
  const next = new Set<string>()
  for (let number = 0; number < 50; number += 1) {
    const sha256 = String(number).padStart(64, '0')
    const first = MEMBERS.find((own) => own !== SIGNER && patienceOf(own, sha256) === HOUR_MS)
    next.add(first ?? '')
  }
  t.is(next.size, 4)
})

test('for a film they wait as long as one takes to make', (t) => {
  const first = MEMBERS.find((own) => own !== SIGNER && patienceOf(own, '1'.repeat(64)) === HOUR_MS)
  t.is(patienceOf(first ?? '', '1'.repeat(64), HOUR_MS / 2), 3 * HOUR_MS)
})

test('a node that has not heard of its own admission yet comes after all that it knows', (t) => {
  const waits = patienceMs({ own: 'z', signer: 'gone', members: ['a'], sha256: '1'.repeat(64) })
  t.true(waits >= HOUR_MS)
})
