import { join } from 'node:path'
import test from 'ava'
import { edit, formFields, publish, send } from '../helpers/forms.ts'
import { testFolder } from '../helpers/folder.ts'
import { startNode } from '../helpers/node.ts'
import { setUp } from '../helpers/people.ts'
import { brokenLinks, differences, filesOf, produce, watch } from '../helpers/produced.ts'
import { until } from '../helpers/wait.ts'

/** Changes that come at once, before it is looked whether they have been followed. */
const AT_ONCE = 3
const LIVE = ['--live', 'https://one.example']

test('a watched folder is byte for byte what a fresh production makes, after whatever changes', async (t) => {
  const node = await startNode(t, { HYPERACTIVE_ABUSE_LIMITS: 'off' })
  const root = await setUp(node)
  const folder = await testFolder(t)
  const watched = join(folder, 'watched')
  const group = await publish(node, { title: 'Pedal radio', open: 'yes' }, 'group')
  const stories = []
  for (let number = 0; number < 34; number += 1)
    stories.push(await publish(node, { title: `Story ${number}`, tags: number % 2 ? 'odd' : 'even, river' }))
  const [first, second] = stories
  if (!first || !second) throw new Error('there are stories')
  const { stop } = await watch(t, node, watched, ...LIVE)

  const start = { start: '2031-05-06', startTime: '19:00', zone: 'Europe/Madrid' }
  let event = { item: '', path: '', secret: '' }
  const changes: Record<string, () => Promise<unknown>> = {
    publish: () =>
      publish(node, { title: 'The newest', tags: 'river, lake', places: 'Quay', group: group.item }),
    edit: () => edit(node, second, { title: 'Another title' }),
    retag: () => edit(node, first, { tags: 'lake' }),
    comment: async () => {
      const form = formFields(await node.html(`/comments/${second.item}`))
      await send(node, `/comments/${second.item}`, { ...form, body: 'A remark.', action: 'publish' })
    },
    hide: () => root.send(`/moderate/${second.item}`, { action: 'hide', category: 'spam' }),
    'rename the group': () => edit(node, group, { title: 'Wave radio' }),
    'announce an event': async () => {
      event = await publish(node, { title: 'A concert', ...start, group: group.item }, 'event')
    },
    'move the event': () => edit(node, event, { start: '2031-07-08' }),
    'rename a tag': () => node.run('tag', 'rename', 'lake', 'pond'),
    feature: () => root.send(`/moderate/${first.item}`, { action: 'feature' }),
    unhide: () => root.send(`/moderate/${second.item}`, { action: 'unhide' }),
  }
  const all = Object.entries(changes)
  for (let number = 0; number < all.length; number += AT_ONCE) {
    const some = all.slice(number, number + AT_ONCE)
    for (const [, change] of some) await change()
    const name = some.map(([one]) => one).join(', ')
    const fresh = join(folder, `fresh-${number}`)
    await produce(node, fresh, ...LIVE)
    let last: string[] = []
    await until(
      `the watched folder has followed: ${name}`,
      async () => {
        last = (await differences(watched, fresh)).filter((path) => !path.startsWith('.'))
        return last.length === 0
      },
      60_000,
      200,
    ).catch((error: unknown) => t.fail(`${name}: ${String(error)} ${last.slice(0, 10).join(' ')}`))
  }
  const files = await filesOf(watched)
  t.deepEqual(brokenLinks(files), [])
  t.true(files.has('calendar/2031/07/index.html') && !files.has('calendar/2031/05/index.html'))
  t.true(files.has('tags/pond/index.html'))

  // A node that comes back is followed again.
  await node.stop()
  await node.start()
  await publish(node, { title: 'After the pause' })
  await until(
    'the story is on the front page',
    async () => (await filesOf(watched)).get('index.html')?.includes('After the pause'),
    120_000,
  )
  t.is(await stop(), 0)
})
