import test from 'ava'
import { policy } from '../helpers/policy.ts'
import { SearchIndex } from '../../src/search/search-index.ts'
import { NETWORK } from '../../src/ledger/item-id.ts'
import { heldDocuments } from '../../src/project/held.ts'
import { rebuildSite } from '../../src/project/rebuild.ts'
import { scope } from '../../src/project/site-rows.ts'
import { makeEdit, newKey } from '../helpers/keys.ts'
import type { Projector } from '../../src/project/projector.ts'
import type { TestStore } from '../helpers/store.ts'
import { project, siteDocuments } from '../helpers/projector.ts'
import { startStore } from '../helpers/store.ts'

test('edits become an item; doing a batch twice and rebuilding give equal documents', async (t) => {
  const store = await startStore(t)
  const author = newKey()
  const first = makeEdit(store.key, {
    author,
    at: '2026-01-01T00:00:00.000Z-0000',
    fields: { title: 'One', tags: ['a'] },
  })
  const parents = [first._id.slice(-40)]
  const left = makeEdit(store.key, {
    author,
    item: first.item,
    parents,
    fields: { title: 'One', body: 'Left.', tags: ['a', 'b'] },
  })
  const right = makeEdit(store.key, {
    author,
    item: first.item,
    parents,
    fields: { title: 'Two', tags: ['a', 'c'] },
  })
  await store.ledger.database.bulkDocs([right, left, first], { newEdits: false })
  const { site, projector, database } = await project(store)
  const item = await site.item(first.item)
  t.deepEqual(item?.fields, { title: 'Two', body: 'Left.', tags: ['a', 'b', 'c'], language: 'en' })
  t.deepEqual(item?.heads, [left, right].map(({ _id }) => _id.slice(-40)).sort())
  t.is(item?.at, first.at)
  t.deepEqual(
    (await site.list(scope('tag', 'b'), { limit: 5 })).rows.map(({ title }) => title),
    ['Two'],
  )

  const before = await siteDocuments(store)
  const { update_seq } = await database.info()
  await projector.catchUp()
  await rebuildInPlace(projector, database)
  t.deepEqual(await siteDocuments(store), before)
  t.is((await database.info()).update_seq, update_seq, 'what is equal is not written again')

  using index = SearchIndex.open(':memory:')
  await rebuildSite(
    { couch: store.couch, ledger: store.ledger, index },
    { anchors: [store.key.publicKey], policy: policy(store.key.publicKey) },
  )
  t.deepEqual(await siteDocuments(store), before)
})

/** As after a kill -9 between a batch and its checkpoint: the same changes come again. */
async function rebuildInPlace(
  projector: Projector,
  database: TestStore['ledger']['database'],
): Promise<void> {
  const checkpoint = await database.get('_local/projector')
  await database.put({ ...checkpoint, _id: '_local/projector', seq: 0 } as { _id: string })
  await projector.open()
  await projector.catchUp()
}

test('a stranger’s documents are held, and projected as soon as an admission arrives', async (t) => {
  const store = await startStore(t)
  const stranger = newKey()
  const edit = makeEdit(stranger, { fields: { title: 'From afar' } })
  await store.ledger.database.bulkDocs([edit], { newEdits: false })
  const { site, projector } = await project(store)
  t.is(await site.item(edit.item), undefined)
  t.deepEqual(
    (await heldDocuments(site.database, 5)).map(({ reason, node }) => ({ reason, node })),
    [{ reason: 'stranger', node: stranger.publicKey }],
  )
  await store.ledger.append([{ draft: { type: 'admission', item: NETWORK, key: stranger.publicKey } }])
  await projector.catchUp()
  t.is((await site.item(edit.item))?.fields.title, 'From afar')
  t.deepEqual(await heldDocuments(site.database, 5), [])
})

test('an eviction takes what was signed after it off the pages, and leaves what was before', async (t) => {
  const store = await startStore(t)
  const peer = newKey()
  const before = makeEdit(peer, { at: '2026-01-01T00:00:00.000Z-0000' })
  const later = makeEdit(peer, { at: '2026-01-03T00:00:00.000Z-0000' })
  await store.ledger.append([
    { draft: { type: 'admission', item: NETWORK, key: peer.publicKey }, at: '2025-01-01T00:00:00.000Z-0000' },
  ])
  await store.ledger.database.bulkDocs([before, later], { newEdits: false })
  const { site, projector } = await project(store)
  t.truthy(await site.item(later.item))
  await store.ledger.append([
    { draft: { type: 'eviction', item: NETWORK, key: peer.publicKey }, at: '2026-01-02T00:00:00.000Z-0000' },
  ])
  await projector.catchUp()
  await projector.catchUp()
  t.truthy(await site.item(before.item))
  t.is(await site.item(later.item), undefined)
  t.true(projector.membership.isEvicted(peer.publicKey))
})

test('an edit that nobody was entitled to make is held and changes nothing', async (t) => {
  const store = await startStore(t)
  const first = makeEdit(store.key, { fields: { title: 'Mine' } })
  const forged = makeEdit(store.key, {
    item: first.item,
    author: newKey(),
    parents: [first._id.slice(-40)],
    fields: { title: 'Theirs' },
  })
  await store.ledger.database.bulkDocs([first, forged], { newEdits: false })
  const { site } = await project(store)
  t.is((await site.item(first.item))?.fields.title, 'Mine')
  t.deepEqual(
    (await heldDocuments(site.database, 5)).map(({ reason }) => reason),
    ['not-entitled'],
  )
})

test('what was written past the gateway never reaches a page', async (t) => {
  const store = await startStore(t)
  const honest = makeEdit(store.key, { fields: { title: 'Honest' } })
  const { database } = store.ledger
  await database.bulkDocs([honest], { newEdits: false })
  await database.bulkDocs([{ ...honest, fields: { ...honest.fields, title: 'Overwritten' } }])
  const altered = makeEdit(store.key)
  await database.bulkDocs([{ ...altered, fields: { ...altered.fields, title: 'Altered' } }], {
    newEdits: false,
  })
  const { site } = await project(store)
  t.is((await site.item(honest.item))?.fields.title, 'Honest')
  t.is(await site.item(altered.item), undefined)
  t.deepEqual(
    (await heldDocuments(site.database, 5)).map(({ reason }) => reason),
    ['unproven'],
  )
})

test('documents of later versions and unknown kinds are kept and not shown', async (t) => {
  const store = await startStore(t)
  const poem = makeEdit(store.key, { kind: 'poem' })
  await store.ledger.database.bulkDocs([poem], { newEdits: false })
  const { site } = await project(store)
  t.is(await site.item(poem.item), undefined)
  t.deepEqual(
    (await heldDocuments(site.database, 5)).map(({ reason }) => reason),
    ['unknown-kind'],
  )
})

test('a child that arrives before its parent is shown, and the parent then is history', async (t) => {
  const store = await startStore(t)
  const author = newKey()
  const parent = makeEdit(store.key, { author, fields: { title: 'Old' } })
  const child = makeEdit(store.key, {
    author,
    item: parent.item,
    parents: [parent._id.slice(-40)],
    fields: { title: 'New' },
  })
  await store.ledger.database.bulkDocs([child], { newEdits: false })
  const { site, projector } = await project(store)
  t.is((await site.item(parent.item))?.fields.title, 'New')
  await store.ledger.database.bulkDocs([parent], { newEdits: false })
  await projector.catchUp()
  const item = await site.item(parent.item)
  t.is(item?.fields.title, 'New')
  t.deepEqual(item?.heads, [child._id.slice(-40)])
  t.is(item?.at, parent.at)
})

test('listings page by key both ways without a gap or a repetition', async (t) => {
  const store = await startStore(t)
  const edits = Array.from({ length: 25 }, (_, number) =>
    makeEdit(store.key, {
      at: `2026-01-01T00:00:00.0${10 + Math.floor(number / 2)}Z-0000`,
      fields: { title: `T${number}` },
    }),
  )
  await store.ledger.database.bulkDocs(edits, { newEdits: false })
  const { site } = await project(store)
  const all = (await site.list(scope('newswire'), { limit: 100 })).rows.map(({ item }) => item)
  t.is(all.length, 25)
  const forward: string[][] = []
  let page = await site.list(scope('newswire'), { limit: 10 })
  t.is(page.newer, undefined)
  forward.push(page.rows.map(({ item }) => item))
  while (page.older) {
    page = await site.list(scope('newswire'), { limit: 10, olderThan: page.older })
    forward.push(page.rows.map(({ item }) => item))
  }
  t.deepEqual(forward.flat(), all)
  const back: string[][] = [forward.at(-1) ?? []]
  while (page.newer) {
    page = await site.list(scope('newswire'), { limit: 10, newerThan: page.newer })
    back.unshift(page.rows.map(({ item }) => item))
  }
  t.deepEqual(back.flat(), all)
})
