import { randomBytes } from 'node:crypto'
import test from 'ava'
import { decide, decideOnAll } from '../../src/newsroom/decide.ts'
import { targetName } from '../../src/newsroom/target.ts'
import { makeItemId } from '../../src/ledger/item-id.ts'
import { newKey } from '../helpers/keys.ts'
import { startOffice } from '../helpers/office.ts'

const DAY_MS = 24 * 60 * 60 * 1000

function strangeItem(): string {
  return makeItemId(newKey().publicKey, Date.now())
}

test('a thousand that await review are decided on in one go, each once and over what was decided before', async (t) => {
  const office = await startOffice(t, { publishing: 'review' })
  for (let batch = 0; batch < 5; batch += 1)
    await office.publish(...Array.from({ length: 200 }, (_, n) => ({ title: `Text ${batch} ${n}` })))
  t.is((await office.queue.counts()).waiting, 1000)
  const waiting = await office.queue.waiting()
  const parts = await office.queue.parts()
  t.is(parts.waiting.entries.length, 50)
  t.true(parts.waiting.more)
  const [first] = waiting
  await decide(office.newsroom, { item: first?.target ?? '', action: 'hide', category: 'spam', by: 'one' })
  await office.projector.catchUp()

  const judgements = waiting.map(({ target }) => ({ item: target, action: 'unhide', by: 'two' }))
  const gone = { item: strangeItem(), action: 'unhide', by: 'two' }
  const ids = await decideOnAll(office.newsroom, [...judgements, gone])
  t.is(new Set(ids).size, 1000, 'what is not here is left out')
  await office.queue.close(waiting)
  await office.projector.catchUp()
  t.is((await office.queue.counts()).waiting, 0)
  const item = await office.site.item(first?.target ?? '')
  t.is(item?.standing.hidden, false)
  t.is((await office.queue.parts()).fresh.entries.length, 0, 'they count as looked at')
  await t.throwsAsync(decideOnAll(office.newsroom, [{ item: gone.item, action: 'levitate' }]), {
    code: 'unknown_action',
  })
  t.deepEqual(await decideOnAll(office.newsroom, [{ ...gone, comment: '0'.repeat(40) }]), [])
})

test('what is published later than the page was made is not among all that await review', async (t) => {
  const office = await startOffice(t, { publishing: 'review' })
  const [item = ''] = await office.publish({ title: 'Seen' })
  const made = office.store.ledger.clock.now()
  await office.publish({ title: 'Unseen' })
  t.deepEqual(await office.queue.waiting(made), [{ target: item }])
  t.is((await office.queue.waiting()).length, 2)
})

test('new is what nobody has looked at in the version that there is', async (t) => {
  const office = await startOffice(t)
  const { queue } = office
  const fresh = async () => (await queue.parts()).fresh.entries.map(({ target }) => target)
  const [one = '', two = '', three = ''] = await office.publish(
    { title: '1' },
    { title: '2' },
    { title: '3' },
  )
  const hash = await office.comment(one, { body: 'A comment.' })
  t.deepEqual((await fresh()).sort(), [one, two, three, `${one}/${hash}`].sort())
  await queue.close([{ target: one }, { target: `${one}/${hash}` }])
  await decide(office.newsroom, { item: two, action: 'promote', by: 'elsewhere' })
  await decide(office.newsroom, { item: three, action: 'lock' })
  await office.projector.catchUp()
  t.deepEqual(await fresh(), [three], 'no person has decided on it')
  const { updatedAt = '' } = (await office.site.item(one)) ?? {}
  await office.change(one, { body: 'Another text.' })
  t.deepEqual((await fresh()).sort(), [one, three].sort())
  await queue.close([{ target: one, version: updatedAt }])
  t.true((await fresh()).includes(one), 'who saw the version before has not seen this one')
  await queue.close([{ target: one }])
  await queue.close([{ target: one, version: updatedAt }])
  t.deepEqual(await fresh(), [three], 'an older mark takes nothing back')

  await queue.looked.sweep(Date.now() + 29 * DAY_MS)
  t.deepEqual(await fresh(), [three])
  await queue.looked.sweep(Date.now() + 31 * DAY_MS)
  t.is((await queue.looked.among([one])).size, 0)
})

test('of ten thousand reports the office reads a bounded number, and closes many at once', async (t) => {
  const office = await startOffice(t)
  const { queue, store } = office
  const [loud = '', ...others] = await office.publish(
    ...Array.from({ length: 61 }, (_, n) => ({ title: `Text ${n}`, body: 'A text.' })),
  )
  for (let count = 0; count < 30; count += 1)
    await queue.reports.add({ target: loud, reason: `No. ${count}` })
  t.is((await queue.reports.open())[0]?.reports.length, 20, 'one target keeps twenty')
  const database = store.couch.database('office')
  const targets = [...others, ...Array.from({ length: 440 }, () => targetName({ item: strangeItem() }))]
  for (let batch = 0; batch < 20; batch += 1) {
    const reports = targets.map((target) => ({
      _id: `report:${randomBytes(16).toString('hex')}`,
      type: 'report',
      target,
      category: 'spam',
      at: '2026-11-24',
    }))
    await database.bulkDocs(reports)
  }
  t.true((await database.info()).doc_count > 10_000)
  const { reported } = await queue.parts()
  t.is(reported.entries.length, 50)
  t.true(reported.more)
  t.true(reported.entries.every(({ reports }) => reports.length <= 20))
  t.true((await queue.counts()).reported <= 500)
  await queue.close([loud, ...targets].map((target) => ({ target })))
  t.is((await queue.counts()).reported, 0)
  t.deepEqual(await queue.reports.open(), [])
})

test('notes stand by what they are about, and only who wrote one deletes it', async (t) => {
  const { notes } = await startOffice(t)
  const item = strangeItem()
  const comment = `${item}/${'a'.repeat(40)}`
  await notes.add(item, { text: 'Asked the author.', by: 'ada' }, Date.parse('2026-11-24T10:00:00Z'))
  await notes.add(item, { text: '<b>Answered</b>', by: 'bob' }, Date.parse('2026-11-25T10:00:00Z'))
  await notes.add(comment, { text: 'Rude.', by: 'ada' })
  const all = await notes.on(item)
  t.deepEqual(
    all.map(({ text, by, day }) => [text, by, day]),
    [
      ['Asked the author.', 'ada', '2026-11-24'],
      ['<b>Answered</b>', 'bob', '2026-11-25'],
    ],
  )
  const [first, second] = all
  t.false(await notes.delete(item, second?.id ?? '', 'ada'))
  t.false(await notes.delete(comment, first?.id ?? '', 'ada'))
  t.false(await notes.delete(item, '_local/watcher', 'ada'))
  t.true(await notes.delete(item, first?.id ?? '', 'ada'))
  t.is((await notes.on(item)).length, 1)
  t.is((await notes.on(comment)).length, 1)
  for (let count = 0; count < 99; count += 1) await notes.add(item, { text: 'x', by: 'ada' })
  await t.throwsAsync(notes.add(item, { text: 'x', by: 'ada' }), { code: 'too_many_notes' })
})
