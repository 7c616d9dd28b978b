import test from 'ava'
import { feedsOf } from '../../src/syndication/feed-documents.ts'
import { startFeedServer } from '../helpers/feed-server.ts'
import { formFields, send } from '../helpers/forms.ts'
import { startNode } from '../helpers/node.ts'
import type { TestNode } from '../helpers/node.ts'
import { until } from '../helpers/wait.ts'

async function publishGroup(node: TestNode, title: string, feeds: string): Promise<void> {
  const form = formFields(await node.html('/publish/group'))
  const typed = { title, summary: 'Who we are.', feeds }
  const { status } = await send(node, '/publish/group', { ...form, ...typed, action: 'publish' })
  if (status !== 303) throw new Error(`publishing answered ${status}`)
}

test('a node pulls what its groups name, but nothing from its own network unless it is told to', async (t) => {
  const server = await startFeedServer(t)
  const node = await startNode(t)
  const feedAt = (address: string) =>
    until(`${address} is asked`, () =>
      node.withCouch(async (couch) => (await feedsOf(couch.database('site'), [address]))[0]),
    )
  await publishGroup(node, 'One', `${server.origin}/a`)
  await node.stop()
  await node.start()
  t.like(await feedAt(`${server.origin}/a`), { entries: [], failure: { code: 'feed_not_public' } })
  t.is(server.requests.length, 0)

  await publishGroup(node, 'Two', `${server.origin}/b`)
  await node.stop()
  await node.writeConfig('feeds: { allow: [127.0.0.1], every: 5 }\n')
  await node.start()
  t.like(await feedAt(`${server.origin}/b`), { title: 'A feed', entries: [{ title: 'First' }] })
  t.deepEqual(
    server.requests.map(({ url }) => url),
    ['/b'],
  )
  await node.stop()
  t.notRegex(node.output, /127\.0\.0\.1:\d+\/[ab]/, 'no feed is named in the log')
})
