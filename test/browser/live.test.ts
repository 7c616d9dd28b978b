import test from 'ava'
import { hasBrowser, startBrowser, violations } from '../helpers/browser.ts'
import { startNodeWith } from '../helpers/config.ts'
import { publish } from '../helpers/forms.ts'
import { setUp } from '../helpers/people.ts'
import { until } from '../helpers/wait.ts'

const inBrowser = hasBrowser() ? test : test.skip

inBrowser(
  'an open newswire offers what has come, takes off what was hidden, and shows it when asked',
  async (t) => {
    const node = await startNodeWith(t, 'pages: { memoryBytes: 10000000 }\n')
    const root = await setUp(node)
    await publish(node, { title: 'There from the beginning' })
    const browser = await startBrowser(t)
    const newPage = async (path: string, options = {}) => {
      const context = await browser.newContext({ locale: 'en-GB', bypassCSP: true, ...options })
      const page = await context.newPage()
      await page.goto(node.address + path)
      return page
    }
    const page = await newPage('/newswire')
    const front = await newPage('/', { colorScheme: 'dark', viewport: { width: 320, height: 700 } })
    const german = await newPage('/de/newswire')
    const arabic = await newPage('/ar/newswire', { viewport: { width: 320, height: 700 } })
    const plain = await newPage('/newswire', { javaScriptEnabled: false })
    const before = await plain.content()
    t.is(await page.getByRole('status').innerText(), '')

    await publish(node, { title: 'One' })
    await page.getByRole('link', { name: 'One new story – show it' }).waitFor()
    const second = await publish(node, { title: 'Two' })
    await publish(node, { title: 'Three' })
    for (const open of [page, front])
      await open.getByRole('status').getByText('3 new stories – show them').waitFor()
    await german.getByText('3 neue Beiträge – anzeigen').waitFor()
    await arabic.getByText('أخبار جديدة – اعرضها').waitFor()
    t.is(await plain.content(), before, 'without scripts nothing changes')
    for (const [name, open] of Object.entries({ page, front, arabic })) {
      t.deepEqual(await violations(open), [], name)
      const wider = await open.evaluate<number>('document.documentElement.scrollWidth - innerWidth')
      t.true(wider <= 0, name)
    }

    await root.send(`/moderate/${second.item}`, { action: 'hide', category: 'spam' })
    const link = page.getByRole('link', { name: '2 new stories – show them' })
    await link.waitFor()
    t.is(await link.getAttribute('href'), '/newswire')
    t.is(await german.getByRole('status').getByRole('link').getAttribute('href'), '/de/newswire')
    await link.click()
    await page.getByRole('heading', { name: 'Three' }).waitFor()
    t.is(await page.getByRole('heading', { name: 'Two' }).count(), 0)
    t.is(await page.getByRole('status').innerText(), '')
    await publish(node, { title: 'Four' })
    await page.getByRole('link', { name: 'One new story – show it' }).waitFor()
  },
)

inBrowser('a page goes on after the node was away, and stays as it is where there is no room', async (t) => {
  const node = await startNodeWith(t, 'live: { connections: 1 }\n')
  await publish(node, { title: 'There from the beginning' })
  const browser = await startBrowser(t)
  const page = await browser.newPage({ locale: 'en-GB' })
  await page.goto(`${node.address}/newswire`)
  await publish(node, { title: 'One' })
  await page.getByText('One new story – show it').waitFor()

  const late = await browser.newPage({ locale: 'en-GB' })
  const asked: number[] = []
  const problems: string[] = []
  late.on('response', (response) => {
    if (response.url().includes('/live/')) asked.push(response.status())
  })
  late.on('pageerror', (error) => problems.push(error.message))
  await late.goto(`${node.address}/newswire`)
  await until('it was refused', () => asked.includes(503))

  await node.stop()
  await node.start()
  await publish(node, { title: 'Two' })
  await page.getByText('2 new stories – show them').waitFor({ timeout: 60_000 })
  t.deepEqual([asked, problems], [[503], []], 'it does not ask again and again')
  t.is(await late.getByRole('status').innerText(), '')
})
