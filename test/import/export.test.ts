import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import type { ExecutionContext } from 'ava'
import { parse } from 'yaml'
import { formFields, publish, send } from '../helpers/forms.ts'
import { testFolder } from '../helpers/folder.ts'
import { startNode } from '../helpers/node.ts'
import type { TestNode } from '../helpers/node.ts'
import { until } from '../helpers/wait.ts'

/** A site with something of everything. */
async function fill(t: ExecutionContext, node: TestNode) {
  const group = await publish(
    node,
    { title: 'Bakers', summary: 'We bake.', open: 'yes', feeds: 'https://e.example/feed' },
    'group',
  )
  const story = await publish(node, {
    title: 'Bread: "roses" & more',
    body: '# Why\n\n---\n\nBecause *we* said so.\n\n    code',
    summary: 'Short.',
    author: 'Ana',
    tags: 'bread, 2026, yes',
    places: 'Quay',
    group: group.item,
  })
  await publish(node, { title: 'Pan', body: 'Rosas.', language: 'es', translationOf: story.item })
  await publish(node, { title: 'A song', address: 'https://e.example/song.ogg' }, 'link')
  await publish(
    node,
    {
      title: 'Assembly',
      start: '2031-05-06',
      startTime: '19:00',
      endTime: '21:00',
      zone: 'Europe/Madrid',
      repeat: 'weekly',
      until: '2031-05-27',
      latitude: '41.3',
      longitude: '2.1',
    },
    'event',
  )
  const hidden = await publish(node, { title: 'Taken away' })
  const address = `/comments/${story.item}`
  const say = async (to: string, body: string) => {
    const answer = await send(node, to, {
      ...formFields(await node.html(to)),
      author: 'Bo',
      body,
      action: 'publish',
    })
    return /#c-([0-9a-f]{40})/.exec(answer.headers.get('location') ?? '')?.[1] ?? ''
  }
  const first = await say(address, 'Well **said**.')
  await say(`${address}/${first}/answer`, 'Thank you.')
  for (const words of [
    ['decide', story.item, 'feature'],
    ['decide', hidden.item, 'hide'],
    ['tag', 'suggest', 'bread'],
  ])
    t.is((await node.run(...words)).code, 0)
}

/** An export's files without what another node names otherwise: ids, and the old addresses that an import adds. */
async function contentOf(folder: string): Promise<Record<string, unknown>> {
  const found: Record<string, unknown> = {}
  const names = new Map<string, string>()
  const files = (await readdir(folder, { recursive: true })).filter((file) => file.includes('/')).sort()
  for (const file of files) {
    const text = await readFile(join(folder, file), 'utf8')
    if (file.endsWith('.json')) {
      const comments = JSON.parse(text) as { id: string; inReplyTo?: string }[]
      const order = comments.map(({ id }) => id)
      found[file] = comments.map((comment) => {
        const { id: _id, inReplyTo, ...rest } = comment
        return { ...rest, answers: order.indexOf(inReplyTo ?? '') }
      })
      continue
    }
    const [, matter = '', body] = /^---\n([^]*?)\n---\n([^]*)$/.exec(text) ?? []
    const { id, aliases: _, ...front } = parse(matter) as { id: string; aliases?: string[] }
    names.set(id, file)
    found[file] = { ...front, body }
  }
  const all = JSON.stringify(found, undefined, 1)
  return JSON.parse([...names].reduce((text, [id, file]) => text.replaceAll(id, file), all)) as Record<
    string,
    unknown
  >
}

test('what a node exports another imports, and exports again the same', async (t) => {
  const folder = await testFolder(t)
  const [first, second] = await Promise.all([startNode(t), startNode(t)])
  await fill(t, first)
  const [a, b] = [join(folder, 'a'), join(folder, 'b')]
  await until('everything is decided', async () => (await first.html('/features')).includes('roses'))
  const { code, out, err } = await first.run('export', a)
  t.is(code, 0, err)
  t.regex(out, /6 items and 2 comments/)
  const imported = await second.run('import', a)
  t.is(imported.code, 0, imported.err)
  t.regex(imported.out, /6 imported, 2 comments, 0 here already, 0 skipped/)
  await until('everything is shown', async () => (await second.html('/features')).includes('roses'))
  await second.run('export', b)
  const [before, after] = [await contentOf(a), await contentOf(b)]
  t.is(Object.keys(before).length, 7)
  t.deepEqual(after, before)
  t.false(JSON.stringify(before).includes('Taken away'))

  // Links to the first site lead to the second one's pages.
  const index = JSON.parse(await readFile(join(a, 'export.json'), 'utf8')) as {
    items: { id: string; title: string }[]
  }
  const story = index.items.find(({ title }) => title.startsWith('Bread'))?.id ?? ''
  const moved = await second.page(`/articles/${story}`)
  t.is(moved.status, 301)
  t.regex(await second.html(moved.headers.get('location') ?? ''), /Published by <a[^>]*>Bakers/)
  t.regex((await second.run('import', a)).out, /0 imported, 0 comments, 6 here already/)
  t.regex((await first.run('import', a)).out, /0 imported, 0 comments, 6 here already/)
})

test('an export again leaves nothing of what was hidden since, and no other folder is touched', async (t) => {
  const folder = await testFolder(t)
  const node = await startNode(t)
  const story = await publish(node, { title: 'Named' })
  const here = join(folder, 'here')
  t.is((await node.run('export', here)).code, 0)
  t.is((await readdir(join(here, 'articles'))).length, 1)
  t.is((await node.run('decide', story.item, 'hide')).code, 0)
  await until('it is hidden', async () => !(await node.html('/newswire')).includes('Named'))
  t.is((await node.run('export', here)).code, 0)
  t.deepEqual(await readdir(join(here, 'articles')), [])
  const other = join(folder, 'other')
  await mkdir(other)
  await writeFile(join(other, 'mine.txt'), 'x')
  const refused = await node.run('export', other)
  t.is(refused.code, 1)
  t.regex(refused.err, /holds other files/)
})

test('files of an export that were broken by hand say so', async (t) => {
  const folder = await testFolder(t)
  const node = await startNode(t)
  const front = 'title: T\ndate: 2020-01-01\nlanguage: en'
  await writeFile(join(folder, 'a.md'), `---\n${front}\nkind: nonsense\n---\nText`)
  await writeFile(
    join(folder, 'b.md'),
    `---\n${front}\nkind: event\nstart: 2020-02-30T10:00\nzone: UTC\n---\nText`,
  )
  await writeFile(join(folder, 'c.md'), `---\n${front}\nkind: article\n---\nText`)
  await writeFile(join(folder, 'c.comments.json'), '[{"id": 1}]')
  await writeFile(join(folder, 'd.md'), `---\n${front}\nkind: article\n---\nText of d`)
  await writeFile(join(folder, 'd.comments.json'), '[{"id": "1", "date": "2020-01-02", "body": ""}]')
  const { out } = await node.run('import', folder, '--json')
  const { imported, skipped } = JSON.parse(out) as {
    imported: object[]
    skipped: { source: string; reason: string }[]
  }
  t.is(imported.length, 1)
  t.deepEqual(skipped.map(({ source, reason }) => `${source}: ${reason}`).sort(), [
    'a.md: is of a kind that is not known: "nonsense"',
    'b.md: start is not a day and a time such as 2026-11-23T19:00',
    'c.md: .comments.json beside it holds something that is no comment',
    'd.md, comment 1: body is missing',
  ])
})

test('an editor changes a file of an export and saves it as the next version, pages included', async (t) => {
  const folder = await testFolder(t)
  const node = await startNode(t)
  await writeFile(
    join(folder, 'about.md'),
    '---\ntitle: About us\ndate: 2020-01-01\nkind: page\ninMenu: true\n---\nWho we are.',
  )
  t.is((await node.run('import', join(folder, 'about.md'))).code, 0)
  await until('the page is in the menu', async () => (await node.html('/')).includes('About us'))
  const out = join(folder, 'out')
  t.is((await node.run('export', out)).code, 0)
  const file = join(out, 'pages', '2020-01-01-about-us.md')
  t.is((await node.run('revise', file)).out, 'nothing has changed\n')
  await writeFile(file, (await readFile(file, 'utf8')).replace('Who we are.', 'Who we were.'))
  t.is((await node.run('revise', file)).out, 'saved\n')
  const path = /\/pages\/[0-9a-z]{26}/.exec(await node.html('/'))?.[0] ?? ''
  await until('it says so', async () => (await node.html(path)).includes('Who we were.'))
  t.regex(await node.html(`${path}/history`), /By an editor/)

  await writeFile(file, (await readFile(file, 'utf8')).replace(/language: .*/, 'language: "??"'))
  t.is((await node.run('revise', file)).code, 1)
  await writeFile(file, '---\ntitle: T\ndate: 2020-01-01\nkind: page\nid: none\n---\nText')
  t.regex((await node.run('revise', file)).err, /names no item/)
})
