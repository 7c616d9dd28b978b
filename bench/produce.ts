import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { atMost, plain } from './figure.ts'
import type { Benchmark, Figure } from './figure.ts'
import { benchFolder, benchNode } from './nodes.ts'
import { fillLedger } from './site-of.ts'

/** A smaller number of items is for looking where the time goes: it has no goal. */
const { HYPERACTIVE_TEST_PRODUCE: chosen = '10000' } = process.env
const ITEMS = Number(chosen)
const GOAL_SECONDS = 60

export const produceAll: Benchmark = {
  name: 'produce-all',
  about: `hyperactive produce --all of ${ITEMS} items and a comment on every fifth, beside the node that runs, into an empty folder`,
  async run() {
    await using folder = await benchFolder()
    await using node = benchNode(folder.path, 'node')
    await node.start()
    await node.stop()
    await fillLedger(node.data, ITEMS)
    const rebuilt = await node.run('rebuild')
    if (rebuilt.code !== 0) throw new Error(rebuilt.err)
    await node.start()
    const out = join(folder.path, 'out')
    await mkdir(out)
    const first = await produced(node, out)
    const again = await produced(node, out)
    await rm(out, { recursive: true })
    const figures: Figure[] = [
      ITEMS === 10_000
        ? atMost('produce-all', first.seconds, 's', GOAL_SECONDS, `${first.files} files`)
        : plain('produce-all', first.seconds, 's', `${first.files} files`),
      plain('produce-all', again.seconds, 's', `again, ${again.written} files were others`),
    ]
    return figures
  },
}

async function produced(
  node: ReturnType<typeof benchNode>,
  out: string,
): Promise<{ files: number; written: number; seconds: number }> {
  const begun = performance.now()
  const args = ['produce', '--all', '--out', out, '--live', 'https://live.example', '--json']
  const { code, out: said, err } = await node.run(...args)
  if (code !== 0) throw new Error(err || said)
  const { files, written } = JSON.parse(said) as { files: number; written: number }
  return { files, written, seconds: (performance.now() - begun) / 1000 }
}
