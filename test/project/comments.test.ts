import test from 'ava'
import { policy } from '../helpers/policy.ts'
import { keyFromSeed } from '../../src/ledger/keys.ts'
import { hashInId, makeDocument } from '../../src/ledger/document.ts'
import type { Draft, Envelope } from '../../src/ledger/document.ts'
import { sayOfWord } from '../../src/newsroom/words.ts'
import { decide } from '../../src/newsroom/decide.ts'
import { heldByReason } from '../../src/project/held.ts'
import { scope } from '../../src/project/site-rows.ts'
import { project, siteDocuments } from '../helpers/projector.ts'
import { makeEdit } from '../helpers/keys.ts'
import { startStore } from '../helpers/store.ts'
import type { TestStore } from '../helpers/store.ts'

let seconds = 0

function make({ key }: Pick<TestStore, 'key'>, draft: Draft): Envelope {
  seconds += 1
  return makeDocument(draft, `2026-05-01T00:00:${String(seconds % 60).padStart(2, '0')}.000Z-0000`, key)
}

async function store(test: TestStore, documents: readonly object[]): Promise<void> {
  await test.ledger.database.bulkDocs(documents, { newEdits: false })
}

test('comments and decisions give the same site whatever order they come in', async (t) => {
  const from = await startStore(t)
  const item = makeEdit(from.key, { at: '2026-01-01T00:00:00.000Z-0000', fields: { tags: ['a'] } })
  const comment = make(from, { type: 'comment', item: item.item, fields: { body: 'First' } })
  const answer = make(from, {
    type: 'comment',
    item: item.item,
    inReplyTo: hashInId(comment._id),
    fields: { body: 'Second' },
  })
  const target = hashInId(answer._id)
  const hide = make(from, { type: 'decision', item: item.item, target, action: 'hide', supersedes: [] })
  const feature = make(from, {
    type: 'decision',
    item: item.item,
    target: item.item,
    action: 'feature',
    supersedes: [],
  })
  const all = [item, comment, answer, hide, feature]
  const outcomes = []
  for (const order of [all, all.toReversed(), [hide, answer, feature, comment, item]]) {
    const test = await startStore(t, from.key)
    for (const document of order) {
      await store(test, [document])
      await using running = await project(test)
      await running.projector.catchUp()
    }
    await using running = await project(test)
    const { site, index } = running
    t.deepEqual(
      (await site.comments(item.item, 10)).map(({ fields }) => fields.body),
      ['First'],
      'what is hidden stands on no page',
    )
    t.is(index.counts('comments', [item.item]).get(item.item), 1)
    t.is((await site.list(scope('featured'), { limit: 5 })).rows[0]?.item, item.item)
    outcomes.push(await siteDocuments(test))
  }
  t.deepEqual(outcomes[1], outcomes[0])
  t.deepEqual(outcomes[2], outcomes[0])
})

test('a hidden item stands in no listing, and comes back when that is taken back', async (t) => {
  const test = await startStore(t)
  const item = makeEdit(test.key, { fields: { tags: ['a'] } })
  await store(test, [item])
  await using running = await project(test)
  const { site, index, projector, database } = running
  const newsroom = { ledger: test.ledger, site: database, policy: policy(test.key.publicKey) }
  const shown = async () => [
    (await site.list(scope('newswire'), { limit: 5 })).rows.length,
    (await site.list(scope('tag', 'a'), { limit: 5 })).rows.length,
    index.counts('tag', ['a']).get('a') ?? 0,
  ]
  t.deepEqual(await shown(), [1, 1, 1])
  await decide(newsroom, { item: item.item, action: 'hide', reason: 'a reason' })
  await projector.catchUp()
  t.deepEqual(await shown(), [0, 0, 0])
  t.like((await site.item(item.item))?.standing, { hidden: true, reason: 'a reason' })
  await decide(newsroom, { item: item.item, action: 'unhide' })
  await projector.catchUp()
  t.deepEqual(await shown(), [1, 1, 1])
  await t.throwsAsync(decide(newsroom, { item: item.item, action: 'levitate' }), { code: 'unknown_action' })
  await t.throwsAsync(decide(newsroom, { item: 'x', action: 'hide' }), { code: 'unknown_item' })
  await t.throwsAsync(decide(newsroom, { item: item.item, comment: 'x', action: 'hide' }), {
    code: 'unknown_comment',
  })
})

test('tags that editors rename, merge and part are listed under their names, in whatever order it comes', async (t) => {
  const test = await startStore(t)
  const first = makeEdit(test.key, { fields: { title: 'One', tags: ['colour', 'rents'] } })
  const second = makeEdit(test.key, { fields: { title: 'Two', tags: ['color'] } })
  await store(test, [first, second])
  await using running = await project(test)
  const { site, index, projector, database } = running
  const newsroom = { ledger: test.ledger, site: database, key: test.key, language: 'en' }
  const tagged = async (name: string) =>
    (await site.list(scope('tag', name), { limit: 9 })).rows.map(({ title }) => title).sort()
  await sayOfWord(newsroom, { vocabulary: 'tag', name: 'Colour', also: ['Color'] })
  await projector.catchUp()
  t.deepEqual([await tagged('colour'), await tagged('color')], [['One', 'Two'], []])
  t.is(index.counts('tag', ['colour']).get('colour'), 2)
  t.is(projector.terms.nameOf('tag', 'color'), 'colour')

  // What comes later is listed so at once, and a name of a name leads on.
  const third = makeEdit(test.key, { fields: { title: 'Three', tags: ['color'] } })
  await store(test, [third])
  await sayOfWord(newsroom, { vocabulary: 'tag', name: 'paint', also: ['colour'], suggested: true })
  await projector.catchUp()
  t.deepEqual(await tagged('paint'), ['One', 'Three', 'Two'])
  t.deepEqual(projector.terms.suggested('tag'), ['paint'])
  t.is(await sayOfWord(newsroom, { vocabulary: 'tag', name: 'paint', also: ['colour'] }), undefined)

  // Another node, which gets everything at once, has the same site.
  const other = await startStore(t, test.key)
  const { rows } = await test.ledger.database.allDocs({ include_docs: true })
  const documents = rows.flatMap(({ key, doc }) => (key.startsWith('_') || !doc ? [] : [doc]))
  await store(other, documents.toReversed())
  await using onOther = await project(other)
  await onOther.projector.catchUp()
  t.deepEqual(await siteDocuments(other), await siteDocuments(test))

  await sayOfWord(newsroom, { vocabulary: 'tag', name: 'paint', not: ['colour', 'color'] })
  await sayOfWord(newsroom, { vocabulary: 'tag', name: 'colour', not: ['color'] })
  await projector.catchUp()
  t.deepEqual([await tagged('colour'), await tagged('color')], [['One'], ['Three', 'Two']])
  await t.throwsAsync(sayOfWord(newsroom, { vocabulary: 'tag', name: 'x'.repeat(51) }), { code: 'bad_word' })
  await t.throwsAsync(sayOfWord(newsroom, { vocabulary: 'tag', name: ' ' }), { code: 'bad_word' })
})

test('a page, a snippet or an alert counts only when a node of the network wrote it', async (t) => {
  const test = await startStore(t)
  const anybody = makeEdit(test.key, { kind: 'page', fields: { inMenu: true } })
  const editor = makeEdit(test.key, { kind: 'page', author: test.key, fields: { inMenu: true } })
  const stranger = keyFromSeed(Buffer.alloc(32, 7))
  const elsewhere = makeEdit(stranger, { kind: 'page', author: stranger, fields: { inMenu: true } })
  await store(test, [anybody, editor, elsewhere])
  await using running = await project(test)
  const { rows } = await running.site.list(scope('menu'), { limit: 5 })
  t.deepEqual(
    rows.map(({ item }) => item),
    [editor.item],
  )
  t.deepEqual(await heldByReason(running.site.database), { 'not-entitled': 1, stranger: 1 })
})

test('comments are paged without a gap or a repetition', async (t) => {
  const test = await startStore(t)
  const item = makeEdit(test.key, {})
  // Several at the same time, too.
  const drafts = Array.from({ length: 12 }, (_, number) => {
    const draft: Draft = { type: 'comment', item: item.item, fields: { body: `Number ${number}` } }
    return makeDocument(draft, `2026-06-01T00:00:0${Math.floor(number / 3)}.000Z-0000`, test.key)
  })
  await store(test, [item, ...drafts])
  await using running = await project(test)
  const { site } = running
  const all = (await site.comments(item.item, 100)).map(({ hash }) => hash)
  t.is(all.length, 12)
  const paged: string[] = []
  for (let page = await site.comments(item.item, 5); page.length > 0;) {
    paged.push(...page.map(({ hash }) => hash))
    const last = page.at(-1)
    page = last ? await site.comments(item.item, 5, last) : []
    if (paged.length > 20) break
  }
  t.deepEqual(paged, all)
  t.deepEqual(
    (await site.newestComments(item.item, 100)).map(({ hash }) => hash),
    all.toReversed(),
  )
})
