import { join } from 'node:path'
import test from 'ava'
import { edit, formFields, publish, send } from '../helpers/forms.ts'
import { testFolder } from '../helpers/folder.ts'
import { startNode } from '../helpers/node.ts'
import type { TestNode } from '../helpers/node.ts'
import { setUp } from '../helpers/people.ts'
import { brokenLinks, differences, filesOf, produce } from '../helpers/produced.ts'

const ALL = { HYPERACTIVE_ABUSE_LIMITS: 'off' }

async function comment(node: TestNode, item: string, body: string): Promise<void> {
  const form = formFields(await node.html(`/comments/${item}`))
  await send(node, `/comments/${item}`, { ...form, body, action: 'publish' })
}

test('every link of a produced site leads to a file, or to a node that is up', async (t) => {
  const node = await startNode(t, ALL)
  const root = await setUp(node)
  const group = await publish(node, { title: 'Pedal radio', open: 'yes' }, 'group')
  const story = await publish(node, {
    title: 'The bridge is open',
    tags: 'river, São João, .., con, a/b, ' + 'x'.repeat(30),
    places: 'Quay',
    author: 'Ana & Bo',
    body: 'See [this](/newswire?before=x) and [that](/articles/01m83yydzved5b913tktd3xrqc) and [gone](/tags/never).',
    group: group.item,
  })
  await edit(node, story, { title: 'The bridge is open again' })
  const hidden = await publish(node, { title: 'An advertisement', body: 'Buy.' })
  await root.send(`/moderate/${hidden.item}`, { action: 'hide', category: 'spam' })
  const start = { start: '2031-05-06', startTime: '19:00', zone: 'Europe/Madrid' }
  await publish(node, { title: 'A concert', ...start, group: group.item }, 'event')
  for (let number = 0; number < 45; number += 1)
    await publish(node, { title: `Story ${number}`, tags: 'many' })
  await comment(node, story.item, 'A remark.')

  const out = join(await testFolder(t), 'out')
  const live = ['--live', 'https://one.example', 'https://two.example/']
  const report = await produce(node, out, ...live)
  t.deepEqual(report.failed, [])
  const files = await filesOf(out)
  t.deepEqual(brokenLinks(files), [])
  t.is(files.size, report.files + 1, 'the list of files is not among them')
  const pages = [...files].filter(([path]) => path.endsWith('.html'))
  for (const [path, html] of files) {
    t.false(html.includes(node.address) || html.includes('produced.invalid'), path)
    if (!path.endsWith('.html')) continue
    t.false(/<form|<button|<input/.test(html), path)
    t.false(/<script(?! type="application\/ld\+json")/.test(html), path)
  }

  const home = files.get('index.html') ?? ''
  t.true(home.includes('Story 44') && files.get('groups/index.html')?.includes('Pedal radio'))
  t.true(home.includes('href="https://one.example/publish"'))
  t.true(
    home.includes('href="https://one.example/search"') && home.includes('href="https://two.example/search"'),
  )
  const page = files.get(`articles/${story.item}/index.html`) ?? ''
  t.true(page.includes('The bridge is open again') && page.includes('A remark.'))
  for (const path of [`/comments/${story.item}`, `/report/${story.item}`, `${story.path}/history`])
    t.true(page.includes(`href="https://one.example${path}"`), path)
  t.true(page.includes('href="https://one.example/tags/never"'), 'what a reader names is not produced for it')
  const spam = files.get(`articles/${hidden.item}/index.html`) ?? ''
  t.true(spam.includes('noindex') && spam.includes('<details'))
  t.true(files.get('hidden/index.html')?.includes('An advertisement'))
  t.false(home.includes('An advertisement'))
  t.true(files.get('moderation/index.html')?.includes('spam') || files.has('moderation/index.html'))

  for (const path of [
    'newswire/feed.atom',
    'newswire/feed.rss',
    'newswire/feed.json',
    'calendar.ics',
    'calendar/2031/05/index.html',
    'calendar/2031-05-06/index.html',
    'sitemap.xml',
    'robots.txt',
    'places/quay/index.html',
    'tags/river/index.html',
    'archive/index.html',
    `groups/${group.item}/newswire/feed.atom`,
    `groups/${group.item}/calendar.ics`,
  ])
    t.true(files.has(path), path)
  t.false(files.has('calendar/2031/06/index.html'), 'nothing happens in that month')
  t.true(files.get('newswire/feed.atom')?.includes('https://one.example/articles/'))
  t.true((files.get('calendar.ics') ?? '').split('\r\n').every((line) => Buffer.byteLength(line) <= 75))
  // All 46 stories of a tag are reached by its pages.
  const many = pages.filter(([path]) => path.startsWith('tags/many/')).map(([, html]) => html)
  t.is(many.length, 3)
  for (let number = 0; number < 45; number += 1)
    t.true(many.some((html) => html.includes(`>Story ${number}<`)))

  const again = await produce(node, out, ...live)
  t.is(again.written + again.removed, 0)
  await node.stop()
  const stopped = join(await testFolder(t), 'out')
  await produce(node, stopped, ...live)
  t.deepEqual(await differences(out, stopped), [], 'a node that does not run gives the same')
})

test('without a node that is up a sentence stands instead of forms; languages stand in folders of their own', async (t) => {
  const node = await startNode(t, ALL)
  await publish(node, { title: 'A story' })
  const out = join(await testFolder(t), 'out')
  await node.stop()
  const fresh = node.with(ALL)
  const ran = await fresh.run('produce', '--all', '--out', out, '--languages', 'de,ar')
  t.is(ran.code, 0, ran.err)
  t.true(ran.out.includes('--live'))
  const files = await filesOf(out)
  t.deepEqual(brokenLinks(files), [])
  t.true(files.get('index.html')?.includes('This is a copy of the site that can only be read'))
  t.regex(files.get('de/index.html') ?? '', /<html lang="de"/)
  t.true(files.get('de/index.html')?.includes('Kopie'))
  t.regex(files.get('ar/newswire/index.html') ?? '', /dir="rtl"/)
  t.true(files.get('de/index.html')?.includes('href="../ar/index.html"'))
  t.true(files.get('index.html')?.includes('href="de/index.html"'))
  t.false(files.has('fr/index.html'))
  t.false(files.has('sitemap.xml'), 'without an address of its own there is nothing to say in it')
  t.is([...files.values()].filter((text) => text.includes('produced.invalid')).length, 0)

  t.is((await fresh.run('produce', '--all', '--out', out, '--watch')).code, 1)
  t.is((await fresh.run('produce', '--all', '--out', out, '--languages', 'xx')).code, 2)
  t.is((await fresh.run('produce', '--all', '--out', out, '--live', 'javascript:1')).code, 2)
})
