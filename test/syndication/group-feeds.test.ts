import test from 'ava'
import { policy } from '../helpers/policy.ts'
import type { Edit } from '../../src/ledger/document.ts'
import { decide } from '../../src/newsroom/decide.ts'
import { groupFeeds } from '../../src/syndication/group-feeds.ts'
import { makeEdit } from '../helpers/keys.ts'
import { project } from '../helpers/projector.ts'
import { startStore } from '../helpers/store.ts'

test('the feeds of shown groups are found, featured and promoted groups first, then the oldest', async (t) => {
  const store = await startStore(t)
  const group = (minute: number, feeds: string[], kind = 'group') =>
    makeEdit(store.key, {
      kind,
      at: `2026-11-23T07:${String(minute).padStart(2, '0')}:00.000Z-0000`,
      fields: { summary: 'Who we are', feeds },
    })
  const [oldest, hidden, third, promoted, featured, article] = [
    group(1, ['https://e.org/1', 'https://e.org/shared']),
    group(2, ['https://e.org/hidden']),
    group(3, ['https://e.org/3']),
    group(
      4,
      Array.from({ length: 5 }, (_, index) => `https://e.org/4/${index}`),
    ),
    group(5, ['https://e.org/5']),
    group(6, ['https://e.org/article'], 'article'),
  ] as [Edit, Edit, Edit, Edit, Edit, Edit]
  const others = [group(7, ['https://e.org/7']), group(8, []), group(9, ['https://e.org/shared'])]
  const all = [oldest, hidden, third, promoted, featured, article, ...others]
  await store.ledger.database.bulkDocs(all, { newEdits: false })
  await using running = await project(store)
  const { site, projector, database } = running
  const newsroom = { ledger: store.ledger, site: database, policy: policy(store.key.publicKey) }
  await decide(newsroom, { item: hidden.item, action: 'hide' })
  await decide(newsroom, { item: promoted.item, action: 'promote' })
  await decide(newsroom, { item: featured.item, action: 'feature' })
  await projector.catchUp()

  t.deepEqual(await groupFeeds(site, 500), [
    { group: featured.item, address: 'https://e.org/5' },
    ...[0, 1, 2, 3, 4].map((index) => ({ group: promoted.item, address: `https://e.org/4/${index}` })),
    { group: oldest.item, address: 'https://e.org/1' },
    { group: oldest.item, address: 'https://e.org/shared' },
    { group: third.item, address: 'https://e.org/3' },
    { group: others[0]?.item, address: 'https://e.org/7' },
    { group: others[2]?.item, address: 'https://e.org/shared' },
  ])
  t.deepEqual(
    (await groupFeeds(site, 6)).map(({ address }) => address.slice(14)),
    ['5', '4/0', '4/1', '4/2', '4/3', '4/4'],
  )
})

test('groups are read page by page', async (t) => {
  const store = await startStore(t)
  const edits = Array.from({ length: 450 }, (_, index) =>
    makeEdit(store.key, {
      kind: 'group',
      at: new Date(Date.UTC(2026, 0, 1) + index).toISOString() + '-0000',
      fields: { feeds: [`https://e.org/${index}`] },
    }),
  )
  await store.ledger.database.bulkDocs(edits, { newEdits: false })
  await using running = await project(store)
  t.deepEqual(
    (await groupFeeds(running.site, 500)).map(({ address }) => address),
    edits.map((_, index) => `https://e.org/${index}`),
  )
})
