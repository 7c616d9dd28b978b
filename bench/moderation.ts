import { formFields, publish } from '../test/helpers/forms.ts'
import { join2 } from '../test/helpers/node.ts'
import { invite, setUp } from '../test/helpers/people.ts'
import { until } from '../test/helpers/wait.ts'
import { atMost, percentile, plain } from './figure.ts'
import type { Benchmark } from './figure.ts'
import { benchFolder, benchNode } from './nodes.ts'

const TIMES = 200
const WARM_UP = 20

export const hideToGone: Benchmark = {
  name: 'hide-to-gone',
  about: `a moderator hides on A until B's newswire does not list it and its page stands behind the notice, ${TIMES} times`,
  async run() {
    await using folder = await benchFolder()
    await using a = benchNode(folder.path, 'a')
    await using b = benchNode(folder.path, 'b')
    await Promise.all([a.start(), b.start()])
    await join2(a, b)
    const moderator = await invite(a, await setUp(a), 'mod', { roles: ['moderator'] })
    const measured: number[] = []
    for (let round = 0; round < WARM_UP + TIMES; round += 1) {
      const title = `Story ${round} of the measurement`
      const { item, path } = await publish(a, { title, body: 'A text of a few words. '.repeat(40) })
      await until('B has it', async () => (await b.html('/newswire')).includes(title), 60_000, 0)
      const form = formFields(await moderator.html(`/moderate/${item}`))
      const begun = performance.now()
      const fields = { token: form.token ?? '', action: 'hide', category: 'spam' }
      const sent = moderator.post(`/moderate/${item}`, fields)
      const isGone = async () =>
        !(await b.html('/newswire')).includes(title) && (await b.html(path)).includes('noindex')
      await until(`B has hidden round ${round}`, isGone, 60_000, 0)
      if (round >= WARM_UP) measured.push(performance.now() - begun)
      if ((await sent).status !== 303) throw new Error('the decision was not accepted')
    }
    return [
      plain('hide-to-gone', percentile(measured, 0.5), 'ms', 'p50'),
      atMost('hide-to-gone', percentile(measured, 0.99), 'ms', 1000, 'p99'),
    ]
  },
}
