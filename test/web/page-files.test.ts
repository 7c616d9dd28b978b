import { readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import test from 'ava'
import { startNodeWith } from '../helpers/config.ts'
import { edit, publish } from '../helpers/forms.ts'
import type { TestNode } from '../helpers/node.ts'
import { setUp } from '../helpers/people.ts'
import { until } from '../helpers/wait.ts'

const HAS_URL = 'url: http://news.example.org\n'

const fileOf = (node: TestNode, path: string) => join(node.data, 'pages', path)
const inFile = (node: TestNode, path: string, what: string, test: (text: string) => boolean) =>
  until(`${path} ${what}`, async () => {
    const text = await readFile(fileOf(node, path), 'utf8').catch(() => undefined)
    return text !== undefined && test(text) && text
  })

test('what is published is on disk before anybody asks, and so is what becomes of it', async (t) => {
  const node = await startNodeWith(t, HAS_URL)
  const root = await setUp(node)
  const story = await publish(node, { title: 'First title', body: 'A text. '.repeat(200) })
  const item = `en${story.path}/index.html`
  for (const path of [item, 'en/index.html', 'en/newswire/index.html'])
    await inFile(node, path, 'shows it', (text) => text.includes('First title'))
  t.is(await node.html(story.path), await readFile(fileOf(node, item), 'utf8'))

  await edit(node, story, { title: 'Second title' })
  const text = await inFile(node, item, 'shows the edit', (page) => page.includes('Second title'))
  for (const path of ['en/index.html', 'en/newswire/index.html'])
    await inFile(node, path, 'shows the edit', (page) => page.includes('Second title'))
  const compressed = await until('it is there compressed', async () => {
    const [br, gz] = await Promise.all(
      ['.br', '.gz'].map((end) => readFile(fileOf(node, item + end)).catch(() => undefined)),
    )
    return br && gz && ([br, gz] as const)
  })
  t.is(brotliDecompressSync(compressed[0]).toString(), text)
  t.is(gunzipSync(compressed[1]).toString(), text)

  await root.send(`/moderate/${story.item}`, { action: 'hide', category: 'spam' })
  await inFile(node, item, 'is behind a notice', (page) => page.includes('noindex'))
  await inFile(node, 'en/newswire/index.html', 'shows it no more', (page) => !page.includes('Second title'))
})

test('files are gone as soon as they do not hold, stay while the node is away, and go at its next start', async (t) => {
  const node = await startNodeWith(t, HAS_URL)
  const story = await publish(node, { title: 'A story', tags: 'river' })
  await node.html('/tags/river')
  await inFile(node, 'en/tags/river/index.html', 'is there', (text) => text.includes('A story'))
  await edit(node, story, { title: 'Another title' })
  // Nobody has asked for it often, so nothing makes it again.
  await until('the file is gone', async () => !(await exists(fileOf(node, 'en/tags/river/index.html'))))
  t.true((await node.html('/tags/river')).includes('Another title'))
  await inFile(node, 'en/tags/river/index.html', 'is there again', (text) => text.includes('Another title'))

  await node.stop()
  t.true(await exists(fileOf(node, 'en/tags/river/index.html')))
  await node.start()
  t.false(await exists(fileOf(node, 'en/tags/river/index.html')))
})

test('a page that many ask for is made again by itself, in each language', async (t) => {
  const node = await startNodeWith(t, HAS_URL)
  const story = await publish(node, { title: 'A story', tags: 'river' })
  for (let times = 0; times < 3; times += 1) {
    await node.page('/tags/river', { headers: { 'accept-language': 'es' } })
    await node.html('/de/tags/river')
  }
  await edit(node, story, { title: 'Another title' })
  for (const path of ['es/tags/river/index.html', 'any/de/tags/river/index.html'])
    t.truthy(await inFile(node, path, 'shows the edit', (text) => text.includes('Another title')))
})

test('pages for which memory has no room come from disk; one that somebody changed there is made anew', async (t) => {
  const node = await startNodeWith(t, `${HAS_URL}pages: { memoryBytes: 60000 }\n`)
  const stories = []
  for (const number of [1, 2, 3, 4, 5, 6]) {
    const story = await publish(node, { title: `Story ${number}`, body: 'A text. '.repeat(300) })
    await inFile(node, `en${story.path}/index.html`, 'is there', (text) => text.includes(`Story ${number}`))
    stories.push(story)
  }
  const page = await node.html(stories[0]?.path ?? '')
  for (const { path } of stories.slice(1)) await node.html(path)
  const first = stories[0]?.path ?? ''
  const file = fileOf(node, `en${first}/index.html`)
  t.is(page, await readFile(file, 'utf8'))
  await writeFile(file, 'Forged')
  for (const { path } of stories.slice(1)) await node.html(path)
  t.is(await node.html(first), page)
  await inFile(node, `en${first}/index.html`, 'is right again', (text) => text === page)
})

test('pages without an address of their own, or that depend on the host, lie where no web server looks', async (t) => {
  const node = await startNodeWith(t, '')
  await publish(node, { title: 'A story' })
  await node.html('/newswire')
  const folders = await until('a page is there', async () => {
    const names = (await readdir(fileOf(node, ''))).filter((name) => !name.startsWith('.'))
    return names.length > 0 && names
  })
  t.deepEqual(folders, ['_'])
})

async function exists(path: string): Promise<boolean> {
  return readFile(path).then(
    () => true,
    () => false,
  )
}

test('a folder that takes no files is said by status, and costs readers nothing', async (t) => {
  const node = await startNodeWith(t, HAS_URL)
  await rm(fileOf(node, ''), { recursive: true, force: true })
  await symlink('/proc/nowhere', fileOf(node, '').replace(/\/$/, ''))
  const story = await publish(node, { title: 'A story' })
  t.true((await node.html(story.path)).includes('A story'))
  t.true((await node.html(story.path)).includes('A story'))
  const said = await until('status says so', async () => {
    const { out } = await node.run('status')
    return out.includes('not as it should be') && out
  })
  t.regex(said, /kept pages +\d+: \d+\.\d MB in memory, 0 on disk[^\n]*\n +not as it should be: ENOENT/)
  const { pages } = JSON.parse((await node.run('status', '--json')).out) as { pages: { hits: number } }
  t.true(pages.hits >= 1)
})
