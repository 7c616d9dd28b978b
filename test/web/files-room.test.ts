import { randomBytes } from 'node:crypto'
import test from 'ava'
import { hasBrowser, startBrowser, violations } from '../helpers/browser.ts'
import { keepFile, publishWithFiles } from '../helpers/files-of-items.ts'
import type { GivenFile } from '../helpers/files-of-items.ts'
import { invite, setUp } from '../helpers/people.ts'
import { startNodeHere } from '../helpers/node-here.ts'
import { until } from '../helpers/wait.ts'

const HERE = '/office/files'
const inBrowser = hasBrowser() ? test : test.skip

interface Sizes {
  scrollWidth: number
  clientWidth: number
}

const picture = (bytes = 1000): GivenFile => ({
  type: 'image/jpeg',
  extension: 'jpg',
  bytes: randomBytes(bytes),
})

/** The items that use most, as a page lists them, and the files that can be ticked on it. */
function listed(html: string): string[] {
  const [, section = ''] = /id="items"([^]*?)<\/section>/.exec(html) ?? []
  return [...section.matchAll(/href="\/moderate\/(\w+)"/g)].map(([, item = '']) => item)
}

function boxes(html: string): string[] {
  return [...html.matchAll(/name="choose-(\w+)"/g)].map(([, sha256 = '']) => sha256)
}

test('administrators see what files use, and remove what nothing names: the ticked ones, or all', async (t) => {
  const node = await startNodeHere(t, '')
  const root = await setUp(node)
  const { item } = await publishWithFiles(node, [picture(5000)], {
    fields: { title: 'A <b>large</b> story' },
  })
  const { blobs } = node.here.media
  const orphans = [
    await keepFile(node, picture()),
    await keepFile(node, picture()),
    await keepFile(node, picture()),
  ]
  t.true((await root.html(HERE)).includes('have not been looked at yet'))
  const looked = await (await root.send(HERE, { action: 'look' })).text()
  t.regex(looked, /<strong>4 files, 8 kB<\/strong>/)
  t.regex(looked, /of [\d.,]+ [GT]B are free on the disk/)
  t.regex(looked, /Pictures<\/th><td>One file, 5 kB/)
  t.regex(looked, new RegExp(`href="/moderate/${item}" dir="auto">A &lt;b&gt;large&lt;/b&gt; story<`))
  for (const { sha256 } of orphans) t.true(looked.includes(sha256))
  t.regex(looked, /ffmpeg \S+ is there|There is no ffmpeg/)
  t.regex(looked, /qpdf \S+ is there|There is no qpdf/)

  const none = await root.send(HERE, { action: 'remove' })
  t.is(none.status, 422)
  t.true((await none.text()).includes('Nothing was chosen'))
  const [one, ...others] = orphans
  const chosen = { action: 'remove', [`choose-${one?.sha256 ?? ''}`]: 'yes', 'choose-nonsense': 'yes' }
  t.regex(await (await root.send(HERE, chosen)).text(), /role="status">One file with 1 kB was removed/)
  t.is(await blobs.stat(one?.sha256 ?? ''), undefined)
  for (const { sha256 } of others) t.not(await blobs.stat(sha256), undefined)
  const all = await (await root.send(HERE, { action: 'remove-all' })).text()
  t.regex(all, /2 files with 2 kB were removed/)
  t.true(all.includes('Every file belongs to something'))
  t.is((await blobs.list()).blobs.length, 1)

  t.is((await root.post(HERE, { action: 'remove-all' })).status, 403, 'without a token')
  const editor = await invite(node, root, 'edith', { roles: ['editor', 'moderator'] })
  t.is((await editor.get(HERE)).status, 403)
  t.is((await editor.post(HERE, { action: 'remove-all' })).status, 403)
  t.false((await editor.html('/office')).includes(HERE))
  t.true((await root.html('/office')).includes(HERE))
})

test('work that has failed is listed with its reason, and tried again when somebody asks for it', async (t) => {
  const node = await startNodeHere(t, '')
  const root = await setUp(node)
  const { derivations } = node.here.media
  const { item, files } = await publishWithFiles(node, [picture()])
  const { sha256 = '' } = files[0] ?? {}
  const failed = () => derivations?.list({ states: ['failed'] })[0]
  const first = await until('it has failed', failed)
  const html = await root.html(HERE)
  t.true(html.includes(`href="/moderate/${item}"><code dir="ltr" title="${sha256}">`))
  t.regex(html, /Reason: <span dir="auto">[^<]+<\/span>/)
  t.true(html.includes(`name="retry" value="${first.id}"`))
  const listed = await node.run('media', 'list', '--failed', '--json')
  t.like(JSON.parse(listed.out), { files: [{ sha256, item, code: first.code }] })
  t.is((await root.send(HERE, { retry: first.id })).status, 200)
  await until('it has failed again', () => {
    const again = failed()
    return again && again.changedMs > first.changedMs
  })
  t.is((await root.send(HERE, { retry: 'nonsense' })).status, 404)
})

test('files that are on too few nodes are listed', async (t) => {
  const node = await startNodeHere(t, 'media: { copies: 3 }')
  const root = await setUp(node)
  const { files } = await publishWithFiles(node, [picture()])
  const { sha256 = '' } = files[0] ?? {}
  await until('the node knows', () => node.here.media.network.underReplicated(10).length === 1)
  t.regex(await root.html(HERE), new RegExp(`title="${sha256}">[^]*?<td>1 kB</td><td>1</td>`))
  const listed = await node.run('media', 'list', '--under-replicated', '--json')
  t.like(JSON.parse(listed.out), { files: [{ sha256, holders: 1 }], next: null })
})

test('long lists are walked page by page, and a place that is none begins them', async (t) => {
  const node = await startNodeHere(t, '')
  const root = await setUp(node)
  const items: string[] = []
  for (let index = 0; index < 22; index += 1)
    items.push((await publishWithFiles(node, [picture(1000 + (index % 3))])).item)
  for (let index = 0; index < 51; index += 1) await keepFile(node, picture(10))
  await node.here.media.keeper.look()
  const first = await root.html(HERE)
  const [, next = ''] = /href="\/office\/files(\?items=[^"#]+)#items"/.exec(first) ?? []
  const second = await root.html(HERE + next)
  t.is(listed(first).length, 20)
  t.deepEqual([...listed(first), ...listed(second)].sort(), items.sort())
  const [, more = ''] = /href="\/office\/files(\?orphans=[^"#]+)#orphans"/.exec(first) ?? []
  t.is(new Set([...boxes(first), ...boxes(await root.html(HERE + more))]).size, 51)
  for (const query of ['?items=x', '?items=1-x&items=2', '?orphans=..', `?items=-1-${items[0] ?? ''}`])
    t.deepEqual(boxes(await root.html(HERE + query)), boxes(first), query)
})

inBrowser('the page breaks nothing of WCAG 2.2 AA, in light and dark, and from right to left', async (t) => {
  const node = await startNodeHere(t, '')
  const root = await setUp(node)
  await publishWithFiles(node, [picture(), { ...picture(), type: 'video/mp4', extension: 'mp4' }])
  await keepFile(node, picture())
  await node.here.media.keeper.look()
  const [name = '', value = ''] = (root.cookie ?? '').split('=')
  const browser = await startBrowser(t)
  for (const [colorScheme, width, path] of [
    ['light', 1280, HERE],
    ['dark', 360, HERE],
    ['light', 360, `/ar${HERE}`],
  ] as const) {
    const context = await browser.newContext({ colorScheme, viewport: { width, height: 800 } })
    await context.addCookies([{ name, value, url: node.address }])
    const page = await context.newPage()
    await page.goto(node.address + path)
    t.is(await page.locator('[name^="choose-"]').count(), 1)
    t.deepEqual(await violations(page), [], `${path} ${colorScheme}`)
    const { scrollWidth, clientWidth } = await page.evaluate(() => {
      const { document } = globalThis as unknown as { document: { documentElement: Sizes } }
      return { ...sizesOf(document.documentElement) }
      function sizesOf({ scrollWidth, clientWidth }: Sizes) {
        return { scrollWidth, clientWidth }
      }
    })
    t.true(scrollWidth <= clientWidth, `${path} ${width}`)
  }
})
