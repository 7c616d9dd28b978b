import test from 'ava'
import { decide } from '../../src/newsroom/decide.ts'
import { act } from '../../src/newsroom/filters/act.ts'
import { matchId } from '../../src/newsroom/filters/matches.ts'
import { Watcher } from '../../src/newsroom/watcher.ts'
import { rebuildSite, SITE_DATABASE } from '../../src/project/rebuild.ts'
import { Site } from '../../src/project/site.ts'
import { deployDesignDoc } from '../../src/couch/design-docs.ts'
import { makeItemId } from '../../src/ledger/item-id.ts'
import { filter, startOffice } from '../helpers/office.ts'
import { until } from '../helpers/wait.ts'

const HIDE = { name: 'No gambling', deed: 'hide', category: 'advertising' } as const
const TAG = { name: 'About games', deed: 'tag', tag: 'games' } as const

test('a filter puts what is published after it into the office, until a moderator has looked; again when it changes', async (t) => {
  const office = await startOffice(t)
  const { queue, filters } = office
  await office.publish({ title: 'An old casino' })
  await filters.filters.save(filter())
  const [item = '', other = ''] = await office.publish({ body: 'To the CASINO!' }, { body: 'A walk.' })
  const hash = await office.comment(other, { body: 'What about the casino?' })
  await office.settle()
  const names = (await queue.matches.open()).map(({ target }) => target).sort()
  t.deepEqual(names, [item, `${other}/${hash}`].sort())
  t.is((await queue.counts()).matched, 2)

  await queue.close([{ target: item }, { target: `${other}/${hash}` }])
  await decide(office.newsroom, { item, action: 'lock' })
  await office.settle()
  t.is((await queue.counts()).matched, 0, 'a decision is no new version')
  const { updatedAt = '' } = (await office.site.item(item)) ?? {}
  await office.change(item, { body: 'To the casino, again.' })
  await office.settle()
  t.is((await queue.counts()).matched, 1)
  await queue.close([{ target: item, version: updatedAt }])
  t.is((await queue.counts()).matched, 1, 'who saw the version before has not seen this one')
})

test('a filter hides once, with its name in the reason, and never against a moderator or an editor', async (t) => {
  const office = await startOffice(t)
  await office.filters.filters.save(filter(HIDE))
  const [item = '', approved = ''] = await office.publish({ body: 'A casino.' }, { body: 'A walk.' })
  await decide(office.newsroom, { item: approved, action: 'promote', by: 'mod' })
  await office.projector.catchUp()
  await office.change(approved, { body: 'A walk to the casino.' })
  const [own] = await office.store.ledger.append([
    {
      draft: {
        type: 'edit',
        item: makeItemId(office.store.key.publicKey, Date.now()),
        kind: 'article',
        parents: [],
        fields: { title: 'Ours', body: 'Our casino.', tags: [], language: 'en' },
      },
      author: office.store.key,
    },
  ])
  await office.settle()
  const { standing } = (await office.site.anyItem(item)) ?? {}
  t.is(standing?.hidden, true)
  t.is(standing?.category, 'advertising')
  t.is(standing?.reason, 'Filter: No gambling')
  t.is((await office.site.item(approved))?.standing.hidden, false)
  t.is((await office.site.item(own?.item ?? ''))?.standing.hidden, false)
  const open = (await office.queue.matches.open()).map(({ target }) => target)
  t.deepEqual(open, [approved], 'what it may not hide waits for a moderator')

  await decide(office.newsroom, { item, action: 'unhide', by: 'mod' })
  await office.settle()
  await office.change(item, { body: 'Still a casino.' })
  await office.settle()
  t.is((await office.site.item(item))?.standing.hidden, false)
  const decisions = Object.values((await office.site.anyItem(item))?.decisions ?? {})
  t.is(decisions.filter(({ action }) => action === 'hide').length, 1)
})

test('a filter hides comments, and what awaits review, and leaves alone what is withdrawn', async (t) => {
  const office = await startOffice(t, { publishing: 'review' })
  await office.filters.filters.save(filter(HIDE))
  await office.filters.filters.save(filter())
  const [item = '', gone = ''] = await office.publish({ body: 'A casino.' }, { body: 'A casino.' })
  const hash = await office.comment(item, { body: 'A casino?' })
  await decide(office.newsroom, { item: gone, action: 'withdraw', author: office.store.key })
  await office.settle()
  t.is((await office.site.anyItem(item))?.standing.category, 'advertising')
  t.is((await office.site.comment(item, hash))?.standing.category, 'advertising')
  t.is((await office.site.anyItem(gone))?.standing.closed, 'withdrawn')
  const open = async () => (await office.queue.matches.open()).map(({ target }) => target).sort()
  t.deepEqual(await open(), [item, `${item}/${hash}`].sort())
  await decide(office.newsroom, { item, action: 'withdraw', author: office.store.key })
  await office.settle()
  t.deepEqual(await open(), [`${item}/${hash}`], 'nothing is left to look at')
})

test('a filter gives a tag once; what has it, and what waits for a person to settle a clash, is left alone', async (t) => {
  const office = await startOffice(t)
  await office.filters.filters.save(filter(TAG))
  const [item = '', tagged = '', clashing = ''] = await office.publish(
    { body: 'A casino.', tags: ['walks'] },
    { body: 'A casino.', tags: ['games'] },
    { title: 'Casino', body: 'One.' },
  )
  const [first = ''] = (await office.site.item(clashing))?.heads ?? []
  await office.change(clashing, { title: 'Casino A' }, [first])
  await office.change(clashing, { title: 'Casino B' }, [first])
  await office.settle()
  const read = async (id: string) => office.site.item(id)
  t.deepEqual((await read(item))?.fields.tags, ['games', 'walks'])
  t.is(Object.keys((await read(item))?.graph ?? {}).length, 2)
  t.is(Object.keys((await read(tagged))?.graph ?? {}).length, 1, 'no edit that changes nothing')
  t.true(((await read(clashing))?.clashes.length ?? 0) > 0)
  t.deepEqual((await read(clashing))?.fields.tags, [])
  await office.change(item, { tags: ['walks'] })
  await office.settle()
  t.deepEqual((await read(item))?.fields.tags, ['walks'], 'an editor took it off')
  await office.change(clashing, { title: 'Casino A and B' })
  await office.settle()
  t.deepEqual((await read(clashing))?.fields.tags, ['games'])
})

test('what a crash cut off is done once more without showing twice', async (t) => {
  const office = await startOffice(t)
  const hide = await office.filters.filters.save(filter(HIDE))
  const tag = await office.filters.filters.save(filter(TAG))
  const [item = ''] = await office.publish({ body: 'A casino.' })
  await office.settle()
  const once = await office.site.anyItem(item)
  // Killed after acting, before it was noted: neither the marks nor the checkpoint are there.
  const database = office.store.couch.database('office')
  for (const id of [hide.id, tag.id]) {
    const _id = matchId(item, id)
    const match = await database.get(_id)
    t.truthy(match, _id)
    await database.delete(_id, match?._rev ?? '')
  }
  const checkpoint = await database.get('_local/watcher')
  await database.put({ ...checkpoint, _id: '_local/watcher', seq: 0 } as { _id: string })
  await using again = (await office.open()).watcher
  await again.catchUp()
  await office.projector.catchUp()
  const twice = await office.site.anyItem(item)
  t.deepEqual(twice?.decisions, once?.decisions)
  t.deepEqual(twice?.graph, once?.graph)
})

test('after the site database was made anew nothing is done twice, and nothing is left out', async (t) => {
  const office = await startOffice(t)
  const { store, index } = office
  await office.filters.filters.save(filter(HIDE))
  const [item = ''] = await office.publish({ body: 'A casino.' })
  await office.settle()
  const before = await office.site.anyItem(item)
  // Published while the watcher does not run.
  const [late = ''] = await office.publish({ body: 'Another casino.' })
  await office.projector[Symbol.asyncDispose]()
  await office.watcher[Symbol.asyncDispose]()
  const { couch, ledger, key } = store
  await rebuildSite({ couch, ledger, index }, { anchors: [key.publicKey], policy: office.policy })
  const database = couch.database(SITE_DATABASE)
  const deployment = await deployDesignDoc(database)
  const site = new Site(database, () => deployment.inForce())
  await using watcher = (await office.open(site)).watcher
  await watcher.catchUp()
  await rebuildSite({ couch, ledger, index }, { anchors: [key.publicKey], policy: office.policy })
  t.deepEqual((await site.anyItem(item))?.decisions, before?.decisions)
  t.is((await site.anyItem(late))?.standing.hidden, true)
})

test('a filter that is switched off does nothing, and switched on it begins there', async (t) => {
  const office = await startOffice(t)
  const { filters } = office.filters
  const { id } = await filters.save(filter())
  await filters.switch(id, true)
  await office.publish({ body: 'A casino.' })
  await office.settle()
  await filters.switch(id, false)
  await office.settle()
  t.is((await office.queue.counts()).matched, 0)
  await office.publish({ body: 'A casino.' })
  await office.settle()
  t.is((await office.queue.counts()).matched, 1)
  await filters.delete(id)
  await t.throwsAsync(filters.switch(id, true), { code: 'unknown_filter' })
  await t.throwsAsync(filters.save(filter(), 'x'), { code: 'unknown_filter' })
})

test('a filter follows what is published as it comes, beside the projector', async (t) => {
  const office = await startOffice(t)
  office.watcher.start()
  await office.filters.filters.save(filter(HIDE))
  const items = await office.publish(...Array.from({ length: 250 }, (_, n) => ({ body: `Casino ${n}` })))
  await until('all are hidden', async () => {
    await office.projector.catchUp()
    const { rows } = await office.database.allDocs({ keys: items, include_docs: true })
    return rows.every(({ doc }) => (doc?.standing as { hidden?: boolean } | undefined)?.hidden === true)
  })
  t.pass()
})

test('two marks of one moment are both kept, and a hidden item is hidden once by two filters', async (t) => {
  const office = await startOffice(t)
  const [item = ''] = await office.publish({ body: 'A casino.' })
  const document = await office.site.item(item)
  const [one, two] = [
    await office.filters.filters.save(filter(HIDE)),
    await office.filters.filters.save(filter({ ...HIDE, name: 'Other' })),
  ]
  const hands = {
    newsroom: office.newsroom,
    key: office.store.key,
    matches: office.queue.matches,
    reason: ({ name }: { name: string }) => name,
  }
  const hits = [one, two].flatMap((filter) => (document ? [{ filter, document }] : []))
  await act(hands, hits)
  await office.projector.catchUp()
  t.is(Object.keys((await office.site.anyItem(item))?.decisions ?? {}).length, 1)
  t.is((await office.queue.matches.of([item])).size, 2)
})

test('a watcher that is disposed at once ends', async (t) => {
  const office = await startOffice(t)
  const watcher = new Watcher({
    site: office.database,
    office: office.store.couch.database('office'),
    filters: office.filters.filters,
    looked: office.queue.looked,
    hands: {
      newsroom: office.newsroom,
      key: office.store.key,
      matches: office.queue.matches,
      reason: () => '',
    },
  })
  watcher.start()
  await watcher[Symbol.asyncDispose]()
  t.pass()
})
