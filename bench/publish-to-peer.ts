import { formFields, send } from '../test/helpers/forms.ts'
import { join2 } from '../test/helpers/node.ts'
import type { TestNode } from '../test/helpers/node.ts'
import { until } from '../test/helpers/wait.ts'
import { atMost, percentile } from './figure.ts'
import type { Benchmark } from './figure.ts'
import { benchFolder, benchNode } from './nodes.ts'

const TIMES = 200
const WARM_UP = 20

export const publishToPeer: Benchmark = {
  name: 'publish-to-peer',
  about: `form sent on A until the article is on B's newswire page, ${TIMES} times`,
  async run() {
    await using folder = await benchFolder()
    await using a = benchNode(folder.path, 'a')
    await using b = benchNode(folder.path, 'b')
    await Promise.all([a.start(), b.start()])
    await join2(a, b)
    const times = await publishTimes(a, b, { times: TIMES, warmUp: WARM_UP })
    return [
      atMost('publish-to-peer', percentile(times, 0.5), 'ms p50', 60),
      atMost('publish-to-peer', percentile(times, 0.99), 'ms p99', 250),
    ]
  },
}

/** How long it takes, in milliseconds, from sending a form on one node until another node's newswire shows it. */
export async function publishTimes(
  a: TestNode,
  b: TestNode,
  { times, warmUp }: { times: number; warmUp: number },
): Promise<number[]> {
  const measured: number[] = []
  for (let round = 0; round < warmUp + times; round += 1) {
    const title = `Round ${round} of the measurement`
    const form = formFields(await a.html('/publish/article'))
    const written = { title, body: 'A text of a few words. '.repeat(40), tags: 'measure' }
    const begun = performance.now()
    const sent = send(a, '/publish/article', { ...form, ...written, action: 'publish' })
    await until(`B shows round ${round}`, async () => (await b.html('/newswire')).includes(title), 60_000, 0)
    if (round >= warmUp) measured.push(performance.now() - begun)
    if ((await sent).status !== 303) throw new Error('the form was not accepted')
  }
  return measured
}
