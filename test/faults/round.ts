import { writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { messageOf } from '../../src/errors.ts'
import { until } from '../helpers/wait.ts'
import { converge } from './converge.ts'
import type { Converged } from './converge.ts'
import { FaultNetwork } from './network.ts'
import { makeOperations } from './operations.ts'
import type { Operation } from './operations.ts'
import { Performer } from './perform.ts'
import { TOPOLOGIES } from './topologies.ts'
import type { TopologyName } from './topologies.ts'

/** What makes a round happen again: this is what a trace file holds. */
export interface Trace {
  seed: number
  topology: TopologyName
  /** Whether every other node stood on a CouchDB. */
  mixed: boolean
  operations: Operation[]
}

export interface RoundReport extends Converged {
  operations: number
  acknowledged: number
  unknown: number
}

/** A round of this many random operations. */
export function makeTrace(trace: Omit<Trace, 'operations'>, count: number): Trace {
  return { ...trace, operations: makeOperations(TOPOLOGIES[trace.topology](), trace.seed, count) }
}

/**
 * Starts a network, does the operations to it, heals it, and lets every node publish once more; then all nodes have to
 * agree on what the model says.
 *
 * @throws Error whose message names the seed and the file that replays the round
 */
export async function playRound(trace: Trace): Promise<RoundReport> {
  await using network = await FaultNetwork.start(TOPOLOGIES[trace.topology](), trace)
  const performer = new Performer(network)
  const { model } = performer
  let step: Operation | 'healing' | undefined
  try {
    for (step of trace.operations) {
      await performer.perform(step)
      checkProcesses(network)
    }
    step = 'healing'
    await network.heal()
    await publishEverywhere(network, performer)
    const converged = await converge(network, model)
    checkProcesses(network)
    return {
      ...converged,
      operations: trace.operations.length,
      acknowledged: model.markers('acknowledged').length,
      unknown: model.markers('unknown').length,
    }
  } catch (error) {
    const file = await saveTrace(trace, network, performer, error)
    const { seed, topology } = trace
    const text = `${topology}, seed ${seed}, at ${JSON.stringify(step)}: ${messageOf(error)}
trace   ${file}
replay  npm run test:faults -- --seed ${seed} --topology ${topology} --replay ${file}`
    throw new Error(text, { cause: error })
  }
}

/** A healed node takes what people write; that it stays so is the last thing that a fault could spoil. */
async function publishEverywhere(network: FaultNetwork, performer: Performer): Promise<void> {
  for (const node of network.nodes.keys()) {
    let tries = 0
    await until(`${node} publishes again`, async () => {
      const marker = `last${node}x${(tries += 1)}`
      await performer.perform({ do: 'publish', node, article: marker, marker, presses: 1 })
      return performer.model.attempts.get(marker)?.outcome === 'acknowledged'
    })
  }
}

function checkProcesses(network: FaultNetwork): void {
  for (const node of network.nodes.values())
    if (node.endedByItself) throw new Error(`${node.name} ended by itself: ${node.output.slice(-2000)}`)
}

async function saveTrace(
  trace: Trace,
  network: FaultNetwork,
  { model }: Performer,
  error: unknown,
): Promise<string> {
  const file = join(tmpdir(), `hyperactive-faults-${trace.topology}-${trace.seed}.json`)
  const outputs = [...network.nodes].map(([name, node]) => [name, node.allOutput.split('\n')] as const)
  const seen = {
    problem: messageOf(error).split('\n'),
    attempts: Object.fromEntries(model.attempts),
    articles: Object.fromEntries(model.articles),
    outputs: Object.fromEntries(outputs),
  }
  await writeFile(file, JSON.stringify({ ...trace, seen }, undefined, 1))
  return file
}
