import test from 'ava'
import { ON_COUCHDB } from '../helpers/couch-space.ts'
import { makeTrace, playRound } from './round.ts'

for (const [topology, seed, count] of [
  ['pair', 3, 25],
  ['ring', 5, 30],
] as const) {
  test.serial(
    `a ${topology} that was torn by ${count} random operations agrees when it is healed`,
    async (t) => {
      const report = await playRound(makeTrace({ topology, seed, mixed: ON_COUCHDB }, count))
      t.true(report.acknowledged >= count / 4, 'enough was acknowledged for the round to mean something')
      t.true(report.texts >= report.acknowledged)
      t.true(report.texts <= report.acknowledged + report.unknown)
    },
  )
}
