import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { testFolder } from '../helpers/folder.ts'
import { publish } from '../helpers/forms.ts'
import { startNode } from '../helpers/node.ts'
import { until } from '../helpers/wait.ts'

const FRONT = 'date: 2020-01-02\nlanguage: en'

test('pages, snippets and alerts of editors stand in the menu, at their spots and as a banner', async (t) => {
  const folder = join(await testFolder(t), 'editors')
  await mkdir(folder)
  const file = (name: string, front: string, body: string) =>
    writeFile(join(folder, `${name}.md`), `---\n${FRONT}\n${front}\n---\n${body}\n`)
  await file('about', 'title: About us\nkind: page\ninMenu: true', 'Who we are.')
  await file('rules', 'title: House rules\nkind: page', 'Be kind.')
  await file('call', 'title: Come now\nkind: alert\nsummary: To the bridge.\nonFront: true', '')
  await file('old', 'title: Came then\nkind: alert\nsummary: It is over.', '')
  await file('foot', 'title: Imprint\nkind: snippet\nspot: foot', 'Printed by **us**.')
  await file('side', 'title: Radio\nkind: snippet\nspot: side', 'Listen at noon.')
  await file('front', 'title: Welcome\nkind: snippet\nspot: front', 'Read and write.')
  const node = await startNode(t)
  const story = await publish(node, { title: 'A story' })
  const { out } = await node.run('import', folder)
  t.regex(out, /^7 imported/)
  await until('the banner stands', async () => (await node.html('/')).includes('Come now'))
  const home = await node.html('/')
  t.regex(home, /class="banner"[^]*?Come now[^]*?To the bridge\./)
  t.false(home.includes('Came then'))
  for (const text of ['Listen at noon.', 'Read and write.', 'Printed by <strong>us</strong>.'])
    t.true(home.includes(text), text)
  const page = await node.html(story.path)
  t.regex(page, /<a href="\/pages\/[0-9a-z]{26}"[^>]*>About us<\/a>/)
  t.false(page.includes('House rules'))
  t.true(page.includes('Printed by <strong>us</strong>.'))
  t.false(page.includes('Listen at noon.'))
  for (const [path, titles] of Object.entries({
    '/alerts': ['Come now', 'Came then'],
    '/pages': ['About us', 'House rules'],
  }))
    for (const title of titles) t.true((await node.html(path)).includes(title), `${title} in ${path}`)
})

test('an item names what shares its tags and was published next to it, what shares most first', async (t) => {
  const node = await startNode(t)
  const tagged = (title: string, tags: string) => publish(node, { title, tags })
  await tagged('Long before', 'river')
  for (const title of ['One before', 'Two before', 'Three before']) await tagged(title, 'river')
  await tagged('Two shared', 'river, mill')
  await tagged('None shared', 'school')
  const { path } = await tagged('Asked', 'river, mill, lonely')
  const related = async () => {
    const [, aside = ''] = /class="related"([^]*?)<\/aside>/.exec(await node.html(path)) ?? []
    return [...aside.matchAll(/<h3><a [^>]*>([^<]*)</g)].map(([, title]) => title)
  }
  const before = ['Three before', 'Two before', 'One before']
  t.deepEqual(await related(), ['Two shared', ...before])
  const after = ['One after', 'Two after', 'Three after', 'Four after']
  for (const title of after) await tagged(title, 'river')
  t.deepEqual(await related(), ['Two shared', ...after.toReversed()])
  await tagged('Long after', 'river')
  t.deepEqual(await related(), ['Two shared', ...after.toReversed()])
})
