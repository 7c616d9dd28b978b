import test from 'ava'
import * as fc from 'fast-check'
import { decide, isKept, mayGo } from '../../../src/media/share/policy.ts'
import { byRank, isEnough, mayDrop, nextKeepers } from '../../../src/media/share/rank.ts'
import type { Keeper } from '../../../src/media/share/rank.ts'

const SHA256 = 'ab'.repeat(32)
const DAY_MS = 86_400_000

const keeper = fc.record({
  key: fc.string({ minLength: 3, maxLength: 6 }),
  jurisdiction: fc.constantFrom('IS', 'CH', 'UY', undefined),
  keepsAll: fc.boolean(),
})
const network = fc.uniqueArray(keeper, { minLength: 1, maxLength: 9, selector: ({ key }) => key })
const wanted = fc.record({
  copies: fc.integer({ min: 1, max: 4 }),
  jurisdictions: fc.integer({ min: 1, max: 3 }),
})

test('nodes that drop at once, by whatever they heard and however late, leave enough copies', (t) => {
  fc.assert(
    fc.property(
      network,
      wanted,
      fc.array(fc.tuple(fc.nat(), fc.constantFrom('ask', 'drop', 'fetch'), fc.array(fc.nat())), {
        maxLength: 120,
      }),
      (nodes, enough, steps) => {
        const holds = new Map(nodes.map(({ key }, index) => [key, index % 3 !== 2]))
        const heard = new Map<string, Keeper[]>()
        let dropped = 0
        for (const [number, act, lost] of steps) {
          const node = nodes[number % nodes.length]
          if (!node) continue
          const { key } = node
          if (act === 'ask') {
            // Some answers are lost; the others stay what was true then.
            const lostKeys = new Set(lost.map((each) => nodes[each % nodes.length]?.key))
            const answers = nodes.filter(
              (other) => other !== node && holds.get(other.key) && !lostKeys.has(other.key),
            )
            heard.set(key, answers)
          } else if (act === 'fetch') holds.set(key, true)
          else if (holds.get(key) && mayDrop(node, heard.get(key) ?? [], { sha256: SHA256, ...enough })) {
            holds.set(key, false)
            dropped += 1
          }
          const holders = nodes.filter((one) => holds.get(one.key))
          if (dropped > 0 && !isEnough(holders, enough)) return false
        }
        return true
      },
    ),
    { numRuns: 2000 },
  )
  t.pass()
})

test('the property would show it if those that come later by rank counted as well', (t) => {
  const nodes = ['a', 'b', 'c'].map((key) => ({ key, jurisdiction: undefined, keepsAll: false }))
  const enough = { copies: 2, jurisdictions: 1 }
  // Each has heard of the other two.
  const carelessly = nodes.filter((node) =>
    isEnough(
      nodes.filter((other) => other !== node),
      enough,
    ),
  )
  t.is(carelessly.length, 3, 'all three would drop')
  const carefully = nodes.filter((node) =>
    mayDrop(
      node,
      nodes.filter((other) => other !== node),
      { sha256: SHA256, ...enough },
    ),
  )
  t.deepEqual(carefully, [byRank(nodes, SHA256).at(-1)])
})

test('those who are to fetch what is on too few nodes bring enough copies and laws, and no more', (t) => {
  fc.assert(
    fc.property(
      network,
      wanted,
      fc.array(fc.boolean(), { minLength: 9, maxLength: 9 }),
      (nodes, enough, held) => {
        const holders = nodes.filter((_, index) => held[index])
        const others = nodes.filter((_, index) => !held[index])
        const chosen = nextKeepers(holders, others, { sha256: SHA256, ...enough })
        const isPossible = isEnough(nodes, enough)
        const after = [...holders, ...chosen]
        const least = Math.max(enough.copies, holders.length)
        return (
          chosen.every((one) => others.some((other) => other === one)) &&
          (!isPossible || isEnough(after, enough)) &&
          after.length <= Math.max(least, holders.length + enough.jurisdictions) &&
          (chosen.length === 0 || !isEnough(holders, enough))
        )
      },
    ),
    { numRuns: 2000 },
  )
  t.pass()
})

test('what a node has fetched for the network it does not drop at once', (t) => {
  fc.assert(
    fc.property(
      network,
      wanted,
      fc.array(fc.boolean(), { minLength: 9, maxLength: 9 }),
      (nodes, enough, held) => {
        const holders = nodes.filter((_, index) => held[index])
        const others = nodes.filter((_, index) => !held[index])
        return nextKeepers(holders, others, { sha256: SHA256, ...enough }).every((own) => {
          const question = { sha256: SHA256, isKept: false, own, wanted: enough, holders }
          return (
            decide({ ...question, isHeld: false, others: others.filter((one) => one !== own) }) !== 'drop' &&
            // Only when others before it have enough without it.
            (decide({ ...question, isHeld: true, others: others.filter((one) => one !== own) }) === 'keep' ||
              isEnough(holders, enough))
          )
        })
      },
    ),
  )
  t.pass()
})

test('a mirror, whose copy does not count, drops what enough others hold', (t) => {
  const holders = ['a', 'b'].map((key) => ({ key, jurisdiction: undefined, keepsAll: true }))
  t.true(mayGo(undefined, holders, { sha256: SHA256, copies: 2, jurisdictions: 1 }))
  t.false(mayGo(undefined, holders, { sha256: SHA256, copies: 3, jurisdictions: 1 }))
})

test('a mirror, which is not told who holds what, asks for what it keeps; others wait until they hear', (t) => {
  const unknown = {
    sha256: SHA256,
    isHeld: false,
    others: [],
    holders: [],
    wanted: { copies: 2, jurisdictions: 1 },
  }
  const own = { key: 'a', jurisdiction: undefined, keepsAll: true }
  t.is(decide({ ...unknown, isKept: true, own: undefined }), 'fetch')
  t.is(decide({ ...unknown, isKept: false, own: undefined }), 'leave')
  t.is(decide({ ...unknown, isKept: true, own }), 'leave')
})

function file(atMs: number, readDay = 0) {
  return { sha256: SHA256, atMs, readDay }
}

test('a policy keeps the newest days, or what was used last and fits, and what readers have asked for', (t) => {
  const nowMs = 1000 * DAY_MS
  const none = { used: undefined, read: undefined }
  t.true(isKept(file(0), 'all', none, nowMs))
  t.false(isKept(file(nowMs), 'none', none, nowMs))
  t.true(isKept(file(0, 999), 'none', none, nowMs))
  t.false(isKept(file(0, 990), 'none', { used: undefined, read: { used: 995, sha256: '' } }, nowMs))
  t.true(isKept(file(nowMs - DAY_MS), { days: 2 }, none, nowMs))
  t.false(isKept(file(nowMs - 3 * DAY_MS), { days: 2 }, none, nowMs))
  const fits = { used: { used: 500 * DAY_MS, sha256: 'ff' }, read: undefined }
  t.true(isKept(file(500 * DAY_MS), { bytes: 1 }, fits, nowMs), 'of equal ones, those before it')
  t.false(isKept(file(400 * DAY_MS), { bytes: 1 }, fits, nowMs))
  t.true(isKept(file(400 * DAY_MS, 900), { bytes: 1 }, fits, nowMs), 'reading is use')
})
