import { formFields, publish } from '../test/helpers/forms.ts'
import type { Published } from '../test/helpers/forms.ts'
import { join2 } from '../test/helpers/node.ts'
import type { TestNode } from '../test/helpers/node.ts'
import { invite, setUp } from '../test/helpers/people.ts'
import { until } from '../test/helpers/wait.ts'
import { atMost, median, percentile, plain } from './figure.ts'
import type { Benchmark } from './figure.ts'
import { benchFolder, benchNode } from './nodes.ts'

const TIMES = 200
const WARM_UP = 20
/** What a moderator decides on in one go, and one after the other beside it. */
const QUEUED = 1000
const SINGLE = 50
const ROUNDS = 3

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

export const bulkDecisions: Benchmark = {
  name: 'bulk-decisions',
  about: `from approving of ${QUEUED} that await review, with one form, until all of them are shown, median of ${ROUNDS}; ${SINGLE} one by one beside it`,
  async run() {
    await using folder = await benchFolder()
    await using node = benchNode(folder.path, 'node')
    await node.writeConfig('moderation: { publishing: review }\n')
    await node.start()
    const moderator = await invite(node, await setUp(node), 'mod', { roles: ['moderator'] })
    const [bulk, single]: [number[], number[]] = [[], []]
    for (let round = 0; round < ROUNDS; round += 1) {
      const alone = await publishSome(node, SINGLE, `Single ${round}`)
      const forms = await Promise.all(alone.map(({ item }) => moderator.html(`/moderate/${item}`)))
      const begunAlone = performance.now()
      for (const [index, { item }] of alone.entries()) {
        const { token = '' } = formFields(forms[index] ?? '')
        await moderator.post(`/moderate/${item}`, { token, action: 'approve' })
      }
      single.push((performance.now() - begunAlone) / SINGLE)

      const queued = await publishSome(node, QUEUED, `Queued ${round}`)
      const form = formFields(await moderator.html('/office'))
      const fields = {
        token: form.token ?? '',
        made: form.made ?? '',
        'all-waiting': 'yes',
        action: 'approve',
      }
      const begun = performance.now()
      const answer = await moderator.post('/office', fields)
      if (answer.status !== 303) throw new Error(`the decision answered ${answer.status}`)
      const isShown = async ({ path }: Published) => (await node.page(path)).status === 200
      const ends = [queued.at(0), queued.at(-1)].flatMap((one) => one ?? [])
      await until(
        'all are shown',
        async () => (await Promise.all(ends.map(isShown))).every(Boolean),
        60_000,
        0,
      )
      bulk.push(performance.now() - begun)
    }
    return [
      plain('bulk-decisions', median(bulk) / 1000, 's', `${QUEUED} at once`),
      plain('bulk-decisions', median(bulk) / QUEUED, 'ms each', `${QUEUED} at once`),
      plain('bulk-decisions', median(single), 'ms each', 'one by one'),
    ]
  },
}

async function publishSome(node: TestNode, count: number, title: string): Promise<Published[]> {
  const published: Published[] = []
  for (let number = 0; number < count; number += 1)
    published.push(await publish(node, { title: `${title}, ${number}`, body: 'A few words. '.repeat(40) }))
  return published
}
