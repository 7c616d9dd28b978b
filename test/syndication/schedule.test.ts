import test from 'ava'
import * as fc from 'fast-check'
import type { FeedFailure } from '../../src/syndication/feed-documents.ts'
import { dueAtMs, failureAfter } from '../../src/syndication/schedule.ts'

const MINUTE_MS = 60_000
const DAY_MS = 24 * 60 * MINUTE_MS
const NOW_MS = Date.UTC(2026, 10, 23, 7)
const every = { everyMs: 30 * MINUTE_MS, nowMs: NOW_MS }

const iso = (ms: number) => new Date(ms).toISOString()

test('a feed is due once its time has passed, and a little later than others', (t) => {
  const dues = Array.from({ length: 50 }, (_, index) =>
    dueAtMs({ _id: `feed:${index}`, fetchedAt: iso(NOW_MS) }, every),
  )
  for (const dueMs of dues) t.true(dueMs >= NOW_MS + 30 * MINUTE_MS && dueMs <= NOW_MS + 36 * MINUTE_MS)
  t.true(new Set(dues).size > 40)
  t.is(dueAtMs({ _id: 'feed:0', fetchedAt: iso(NOW_MS) }, every), dues.at(0) ?? 0, 'the same after a restart')
})

test('a feed that was never pulled is due at once, and so is one from the future', (t) => {
  t.is(dueAtMs({ _id: 'feed:1' }, every), 0)
  t.is(dueAtMs({ _id: 'feed:1', fetchedAt: iso(NOW_MS + DAY_MS) }, every), 0)
  t.is(dueAtMs({ _id: 'feed:1', fetchedAt: 'nonsense' }, every), 0)
  const failure = { code: 'x', since: iso(NOW_MS), next: iso(NOW_MS + 30 * DAY_MS), tries: 1 }
  t.is(dueAtMs({ _id: 'feed:1', failure }, every), 0)
})

test('waits double with each failure, up to a day', (t) => {
  let failure: FeedFailure | undefined
  let nowMs = NOW_MS
  const minutes = []
  for (let tries = 1; tries <= 9; tries += 1) {
    failure = failureAfter(failure, 'feed_slow', { id: 'feed:1', everyMs: 30 * MINUTE_MS, nowMs })
    t.like(failure, { code: 'feed_slow', since: iso(NOW_MS), tries })
    const waitMs = Date.parse(failure.next) - nowMs
    minutes.push(waitMs / MINUTE_MS)
    nowMs += waitMs
    t.is(dueAtMs({ _id: 'feed:1', failure }, { everyMs: 1, nowMs }), nowMs)
  }
  for (const [index, least] of [30, 60, 120, 240, 480, 960, 1440, 1440, 1440].entries()) {
    const waited = minutes[index] ?? 0
    t.true(waited >= least && waited <= least * 1.2 + 1, `${waited} after ${index + 1}`)
  }
})

test('a server may ask for a longer wait, though not for a shorter one or for ever', (t) => {
  const wait = (retryAfterMs: number) => {
    const { next } = failureAfter(undefined, 'feed_status_429', { id: 'a', ...every, retryAfterMs })
    return (Date.parse(next) - NOW_MS) / MINUTE_MS
  }
  t.true(wait(0) >= 30 && wait(0) <= 36)
  t.true(wait(5 * 60 * MINUTE_MS) >= 300 && wait(5 * 60 * MINUTE_MS) <= 360)
  t.true(wait(1000 * DAY_MS) >= 1440 && wait(1000 * DAY_MS) <= 1728)
})

test('whatever has happened, the next try lies between the usual wait and a day and a little', (t) => {
  fc.assert(
    fc.property(fc.nat(100_000), fc.nat(), fc.string(), (tries, retryAfterMs, id) => {
      const before = { code: 'x', since: iso(NOW_MS), next: iso(NOW_MS), tries }
      const waitMs = Date.parse(failureAfter(before, 'y', { id, ...every, retryAfterMs }).next) - NOW_MS
      return waitMs >= every.everyMs && waitMs <= DAY_MS * 1.2 + 1
    }),
  )
  t.pass()
})
