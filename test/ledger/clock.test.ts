import test from 'ava'
import * as fc from 'fast-check'
import { HybridClock, hybridTime, isHybridTime, wallTime } from '../../src/ledger/clock.ts'

test('times rise whatever the wall clock does and whatever is seen', (t) => {
  const step = fc.record({
    wallMs: fc.integer({ min: 0, max: 4_000_000_000_000 }),
    seenMs: fc.option(fc.integer({ min: 0, max: 4_000_000_000_000 })),
  })
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 50 }), (steps) => {
      let wallMs = 0
      const clock = new HybridClock(() => wallMs)
      let last = ''
      for (const { wallMs: next, seenMs } of steps) {
        wallMs = next
        if (seenMs !== null) {
          const seen = hybridTime(seenMs, 7)
          clock.see(seen)
          if (seen > last) last = seen
        }
        const now = clock.now()
        t.true(now > last, `${now} after ${last}`)
        t.true(isHybridTime(now))
        last = now
      }
    }),
  )
})

test('a count that overflows goes on in the next millisecond', (t) => {
  const clock = new HybridClock(() => 1000)
  clock.see(hybridTime(1000, 0xffff))
  t.is(clock.now(), hybridTime(1001, 0))
})

test('what is no hybrid time is told', (t) => {
  for (const text of [
    '',
    '2026-11-23T07:00:00.000Z',
    '2026-02-30T07:00:00.000Z-0000',
    '2026-11-23T07:00:00.000Z-000G',
    '2026-13-01T00:00:00.000Z-0000',
  ]) {
    t.false(isHybridTime(text), text)
  }
  t.is(wallTime(hybridTime(5)), 5)
  t.throws(() => hybridTime(8.64e15), { code: 'date_out_of_range' })
})
