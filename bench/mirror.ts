import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { publish } from '../test/helpers/forms.ts'
import { join2 } from '../test/helpers/node.ts'
import { until } from '../test/helpers/wait.ts'
import { atMost, percentile, plain } from './figure.ts'
import type { Benchmark } from './figure.ts'
import { benchFolder, benchNode } from './nodes.ts'

const TIMES = 100
const WARM_UP = 10

export const mirror: Benchmark = {
  name: 'mirror',
  about: `saved on A until the page and the newswire that lists it are files on a folder mirror of B, ${TIMES} times`,
  async run() {
    await using folder = await benchFolder()
    await using a = benchNode(folder.path, 'a')
    await using b = benchNode(folder.path, 'b')
    const place = join(folder.path, 'mirror')
    await mkdir(place)
    await mkdir(b.data, { recursive: true })
    await b.writeConfig(`mirrors:\n  - { name: stick, kind: folder, folder: ${place} }\n`)
    await Promise.all([a.start(), b.start()])
    await join2(a, b)
    const has = async (path: string, text: string) =>
      (await readFile(join(place, path), 'utf8').catch(() => '')).includes(text)
    const measured: number[] = []
    for (let round = 0; round < WARM_UP + TIMES; round += 1) {
      const title = `Story ${round} of the measurement`
      const begun = performance.now()
      const { path } = await publish(a, { title, body: 'A text of a few words. '.repeat(40) })
      const isThere = async () =>
        (await has(`${path.slice(1)}/index.html`, title)) && has('newswire/index.html', title)
      await until(`the mirror has round ${round}`, isThere, 60_000, 5)
      if (round >= WARM_UP) measured.push(performance.now() - begun)
    }
    return [
      plain('mirror', percentile(measured, 0.5), 'ms', 'p50'),
      atMost('mirror', percentile(measured, 0.95), 'ms', 1000, 'p95'),
    ]
  },
}
