import { cp, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { publish } from '../helpers/forms.ts'
import { testFolder } from '../helpers/folder.ts'
import { startNode } from '../helpers/node.ts'

test('a kind is one file and one template, as the page about it says', async (t) => {
  const page = await readFile('docs/adding-a-kind.md', 'utf8')
  const [, kind = ''] = /```ts\n([^]*?)```/.exec(page) ?? []
  const [, template = ''] = /```njk\n([^]*?)```/.exec(page) ?? []
  // A copy of the program with the example's two files in it, as somebody who follows the page makes them.
  const copy = await testFolder(t)
  for (const part of ['src', 'couch-design-docs', 'package.json'])
    await cp(part, join(copy, part), { recursive: true })
  await symlink(join(process.cwd(), 'node_modules'), join(copy, 'node_modules'))
  await writeFile(join(copy, 'src/kinds/loan.ts'), kind)
  await writeFile(join(copy, 'src/templates/kinds/loan.njk'), template)

  const node = await startNode(t, {}, join(copy, 'src/main.ts'))
  const made = await publish(node, { title: 'A ladder', contact: 'Third floor' }, 'loan')
  t.regex(await node.html(made.path), /Third floor/)
  for (const path of ['/loans', '/newswire', '/loans/feed.rss', '/search?q=ladder', '/api/v1/loans'])
    t.true((await node.html(path)).toLowerCase().includes('ladder'), path)
  t.regex(await node.html('/publish'), /Thing to lend/)
})
