import { cpus, totalmem } from 'node:os'
import { parseArgs } from 'node:util'
import type { Benchmark, Figure } from './figure.ts'
import { cleanUp, importRate, initialSync, memory, start } from './ledger-of-20000.ts'
import { publishToPeer } from './publish-to-peer.ts'

const BENCHMARKS: Benchmark[] = [publishToPeer, importRate, initialSync, start, memory]

const { values } = parseArgs({
  options: { json: { type: 'boolean' }, only: { type: 'string', multiple: true } },
})
const names = BENCHMARKS.map(({ name }) => name)
const unknown = values.only?.find((name) => !names.includes(name))
if (unknown !== undefined) {
  process.stderr.write(`there is no benchmark "${unknown}"; there are ${names.join(', ')}\n`)
  process.exit(2)
}
if (!values.json) {
  const [cpu] = cpus()
  const memory = Math.round(totalmem() / 1024 ** 3)
  process.stdout.write(
    `Node ${process.version}, ${process.platform} ${process.arch}, ${cpus().length} × ${cpu?.model.trim() ?? '?'}, ${memory} GiB\n\n`,
  )
}
try {
  for (const benchmark of BENCHMARKS) {
    if (values.only && !values.only.includes(benchmark.name)) continue
    const figures = await benchmark.run()
    for (const figure of figures) print(benchmark, figure)
  }
} finally {
  await cleanUp()
}

function print({ about }: Benchmark, { name, value, unit, goal, met }: Figure): void {
  if (values.json) {
    process.stdout.write(`${JSON.stringify({ name, value, unit, goal, met })}\n`)
    return
  }
  const verdict = met === undefined ? '' : met ? 'met' : 'NOT MET'
  process.stdout.write(
    `${name.padEnd(18)}${String(value).padStart(8)} ${unit.padEnd(14)}${(goal ?? '').padEnd(10)}${verdict.padEnd(9)}${about}\n`,
  )
}
