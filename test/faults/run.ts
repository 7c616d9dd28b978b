import { randomInt } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { messageOf } from '../../src/errors.ts'
import { COUCHDB_URLS } from '../helpers/couch-space.ts'
import { makeTrace, playRound } from './round.ts'
import type { Trace } from './round.ts'
import { isTopology, TOPOLOGIES } from './topologies.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    topology: { type: 'string' },
    operations: { type: 'string', default: '40' },
    embedded: { type: 'boolean', default: false },
    minutes: { type: 'string' },
    replay: { type: 'string' },
  },
})
const names = Object.keys(TOPOLOGIES).filter(isTopology)
const chosen = values.topology === undefined ? names : names.filter((name) => name === values.topology)
if (chosen.length === 0) {
  process.stderr.write(`there is no topology "${values.topology}"; there are ${names.join(', ')}\n`)
  process.exit(2)
}
const firstSeed = values.seed === undefined ? randomInt(2 ** 31) : number('seed')
const deadline = values.minutes === undefined ? Infinity : Date.now() + number('minutes') * 60_000
const mixed = COUCHDB_URLS.length > 0 && !values.embedded
let failed = 0

if (values.replay === undefined) {
  for (let round = 0; round < number('rounds') || values.minutes !== undefined; round += 1) {
    for (const topology of chosen) {
      if (Date.now() < deadline)
        await play(makeTrace({ topology, seed: firstSeed + round, mixed }, number('operations')))
    }
    if (Date.now() >= deadline) break
  }
} else {
  await play(JSON.parse(await readFile(values.replay, 'utf8')) as Trace)
}
process.exit(failed === 0 ? 0 : 1)

async function play(trace: Trace): Promise<void> {
  const begun = performance.now()
  const name = `${trace.topology.padEnd(5)} seed ${String(trace.seed).padEnd(11)}`
  try {
    const { operations, acknowledged, unknown, texts: held, seconds } = await playRound(trace)
    const texts = `${acknowledged} texts acknowledged, ${unknown} unknown, ${held} in the ledger`
    const took = `agreed after ${seconds.toFixed(1)} s, ${((performance.now() - begun) / 1000).toFixed(0)} s in all`
    process.stdout.write(`${name}${operations} operations, ${texts}; ${took}\n`)
  } catch (error) {
    failed += 1
    process.stdout.write(`${name}FAILED\n${messageOf(error)}\n`)
  }
}

function number(name: 'seed' | 'rounds' | 'operations' | 'minutes'): number {
  const value = Number(values[name])
  if (!(value >= 0)) {
    process.stderr.write(`--${name} takes a number, not "${values[name]}"\n`)
    process.exit(2)
  }
  return value
}
