import { createHash } from 'node:crypto'
import test from 'ava'
import * as fc from 'fast-check'
import { HybridClock, hybridTime } from '../../../src/ledger/clock.ts'
import type { SigningKey } from '../../../src/ledger/keys.ts'
import { Holdings } from '../../../src/media/share/holdings.ts'
import { Intake } from '../../../src/media/share/intake.ts'
import { OwnLog } from '../../../src/media/share/own-log.ts'
import { openHoldings } from '../../../src/media/share/schema.ts'
import { makeSign, makeStatement } from '../../../src/media/share/statement.ts'
import type { Statement } from '../../../src/media/share/statement.ts'
import { newKey } from '../../helpers/keys.ts'

const EVERYBODY = () => true
const PLAIN = { jurisdiction: undefined, keepsAll: true }

function digestOf(number: number): string {
  return createHash('sha256').update(String(number)).digest('hex')
}

/** A node that speaks, and the one that listens to it. */
function speaker(key: SigningKey = newKey()) {
  const holdings = new Holdings(openHoldings(':memory:'))
  const log = new OwnLog({ ...PLAIN, holdings, key, clock: new HybridClock(), onSaid: () => undefined })
  return { key, holdings, log }
}

function listener(members: readonly string[], { known = 1_000_000, own = newKey() } = {}) {
  const holdings = new Holdings(openHoldings(':memory:'))
  const forgotten: number[] = []
  const intake = new Intake({
    holdings,
    own: own.publicKey,
    members: () => members,
    isAhead: (at) => at > hybridTime(Date.now() + 600_000),
    known: () => known,
    onTaken: () => undefined,
    onForgotten: (epoch) => forgotten.push(epoch),
  })
  return { holdings, intake, forgotten }
}

/** Passes on what the other lacks until there is nothing more; gives the problem, if any. */
async function passOn(
  from: Holdings,
  to: ReturnType<typeof listener>,
  mostBytes = 1e6,
): Promise<string | undefined> {
  for (;;) {
    const { statements, signs } = from.after(to.intake.places(), EVERYBODY, mostBytes)
    if (statements.length + signs.length === 0) return undefined
    const problem = await to.intake.take(statements, signs)
    if (problem !== undefined) return problem
  }
}

test('whatever comes and goes, and however it is passed on, the others know what a node holds', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(30), fc.boolean(), fc.constantFrom('note', 'flush', 'pass', 'restart'))),
      fc.integer({ min: 1, max: 2000 }),
      async (steps, mostBytes) => {
        const { key, holdings, log } = speaker()
        const between = listener([key.publicKey])
        const far = listener([key.publicKey])
        const held = new Set<string>()
        for (const [number, isHeld, act] of steps) {
          const sha256 = digestOf(number)
          if (act === 'note') {
            log.note(sha256, isHeld)
            if (isHeld) held.add(sha256)
            else held.delete(sha256)
          }
          if (act === 'flush') log.flush()
          if (act === 'restart') log.restart(0)
          if (act === 'pass') {
            // Not all of it, and on to the next one before the rest has come.
            const { statements, signs } = holdings.after(between.intake.places(), EVERYBODY, mostBytes)
            await between.intake.take(statements, signs)
            await passOn(between.holdings, far)
          }
        }
        log.flush()
        const problem = (await passOn(holdings, between)) ?? (await passOn(between.holdings, far))
        const known = far.holdings.heldBy(key.publicKey, '', 100)
        log[Symbol.dispose]()
        return problem === undefined && known.join() === [...held].sort().join()
      },
    ),
    { numRuns: 150 },
  )
  t.pass()
})

test('while the list of a new epoch is on its way, what was said before holds', async (t) => {
  const key = newKey()
  const to = listener([key.publicKey])
  const base = { ...PLAIN, at: hybridTime(Date.now()) }
  const say = (said: Pick<Statement, 'epoch' | 'number' | 'added' | 'parts'>) =>
    to.intake.take([makeStatement({ keepsAll: true, at: base.at, gone: [], ...said }, key)], [])
  await say({ epoch: 1, number: 0, parts: 1, added: [digestOf(1), digestOf(2)] })
  await say({ epoch: 2, number: 0, parts: 2, added: [digestOf(1)] })
  t.true(to.holdings.holds(key.publicKey, digestOf(2)))
  t.true(to.holdings.holds(key.publicKey, digestOf(1)))
  await say({ epoch: 2, number: 1, added: [digestOf(3)] })
  t.false(to.holdings.holds(key.publicKey, digestOf(2)))
  t.deepEqual(to.holdings.holders(digestOf(3)), [key.publicKey])
  // Half a list that is given up for another one.
  await say({ epoch: 3, number: 0, parts: 2, added: [digestOf(4)] })
  await say({ epoch: 4, number: 0, parts: 1, added: [digestOf(5)] })
  t.deepEqual(to.holdings.holders(digestOf(4)), [])
  t.deepEqual(to.holdings.holders(digestOf(3)), [])
  t.deepEqual(to.holdings.holders(digestOf(5)), [key.publicKey])
})

test('nobody speaks for another, and what is false is the fault of who passes it on', async (t) => {
  const honest = newKey()
  const hostile = newKey()
  const to = listener([honest.publicKey, hostile.publicKey])
  const at = hybridTime(Date.now())
  const said = { epoch: 1, number: 0, parts: 1, added: [digestOf(1)], gone: [], keepsAll: true, at }
  const statement = makeStatement(said, hostile)
  t.is(
    await to.intake.take([{ ...statement, node: honest.publicKey }], []),
    'a statement with a false signature',
  )
  t.is(
    await to.intake.take([{ ...statement, added: [digestOf(2)] }], []),
    'a statement with a false signature',
  )
  t.is(await to.intake.take([{ ...statement, more: 1 }], []), 'a statement that is none')
  const sign = makeSign({ epoch: 1, number: 0, keepsAll: true, at }, hostile)
  t.is(await to.intake.take([], [{ ...sign, node: honest.publicKey }]), 'a sign of life that is false')
  const future = hybridTime(Date.now() + 3_600_000)
  t.is(
    await to.intake.take([makeStatement({ ...said, at: future }, honest)], []),
    'a statement of the future',
  )
  const late = { ...said, epoch: Date.now() + 3_600_000 }
  t.is(await to.intake.take([makeStatement(late, honest)], []), 'a statement of the future')
  t.is(
    await to.intake.take([makeStatement({ ...said, epoch: 2, number: 3, parts: undefined }, honest)], []),
    'statements with some left out',
  )
  t.deepEqual(to.holdings.holders(digestOf(1)), [])
  t.is(
    await to.intake.take([makeStatement(said, honest)], []),
    undefined,
    'the honest node is heard after all that',
  )
  t.deepEqual(to.holdings.holders(digestOf(1)), [honest.publicKey])
})

test('strangers are not listened to, and are not asked for again at once', async (t) => {
  const { key, holdings, log } = speaker()
  log.note(digestOf(1), true)
  log.flush()
  const to = listener([])
  const { statements } = holdings.after(to.intake.places(), EVERYBODY, 1e6)
  t.is(await to.intake.take(statements, []), undefined)
  t.deepEqual(to.holdings.holders(digestOf(1)), [])
  t.deepEqual(holdings.after(to.intake.places(), EVERYBODY, 1e6).statements, [])
  t.is(to.intake.places()[0]?.[0], key.publicKey)
})

test('a member that claims more files than there are has no room, and the others do', async (t) => {
  const hostile = newKey()
  const { key, holdings, log } = speaker()
  const to = listener([hostile.publicKey, key.publicKey], { known: 10 })
  const at = hybridTime(Date.now())
  let taken = 0
  for (let number = 0; number < 40; number += 1) {
    const added = Array.from({ length: 2000 }, (_, index) => digestOf(number * 2000 + index))
    const parts = number === 0 ? { parts: 40 } : {}
    await to.intake.take(
      [makeStatement({ epoch: 1, number, ...parts, added, gone: [], keepsAll: true, at }, hostile)],
      [],
    )
    taken = to.holdings.count(hostile.publicKey)
  }
  t.true(taken <= 10_040, String(taken))
  log.note(digestOf(1), true)
  log.flush()
  await passOn(holdings, to)
  t.true(to.holdings.holds(key.publicKey, digestOf(1)))
})

test('a log does not grow without end: a new epoch begins with a list of what is held', async (t) => {
  const { key, holdings, log } = speaker()
  const to = listener([key.publicKey])
  for (let number = 0; number < 2500; number += 1) {
    log.note(digestOf(number % 20), number % 40 < 20)
    log.flush()
  }
  const { statements } = holdings.after([], EVERYBODY, 1e9)
  t.true(statements.length < 1100, String(statements.length))
  await passOn(holdings, to)
  t.deepEqual(to.holdings.heldBy(key.publicKey, '', 100), holdings.heldBy(key.publicKey, '', 100))
})

test('a node whose file of statements is older than what the others know begins a new epoch', async (t) => {
  const key = newKey()
  const before = speaker(key)
  before.log.note(digestOf(1), true)
  before.log.flush()
  before.log.note(digestOf(2), true)
  before.log.flush()
  // A backup was put back, or the file was thrown away.
  const after = speaker(key)
  const own = listener([key.publicKey], { own: key })
  await own.intake.take(before.holdings.after([], EVERYBODY, 1e6).statements, [])
  const [epoch = 0] = own.forgotten
  t.true(epoch > 0)
  after.log.note(digestOf(3), true)
  after.log.restart(epoch)
  after.log.flush()
  const others = listener([key.publicKey])
  await passOn(before.holdings, others)
  await passOn(after.holdings, others)
  t.deepEqual(others.holdings.heldBy(key.publicKey, '', 10), [digestOf(3)])
})
