import test from 'ava'
import { hasBrowser, startBrowser } from '../helpers/browser.ts'
import { join2, startNode } from '../helpers/node.ts'
import { until } from '../helpers/wait.ts'

const inBrowser = hasBrowser() ? test : test.skip

inBrowser(
  'without JavaScript: publish on one node, read on another, edit there by the secret link',
  async (t) => {
    const [a, b] = await Promise.all([startNode(t), startNode(t)])
    await join2(a, b)
    const browser = await startBrowser(t)
    const context = await browser.newContext({ javaScriptEnabled: false })
    const page = await context.newPage()
    const strangers: string[] = []
    page.on('request', (request) => {
      const { origin } = new URL(request.url())
      if (origin !== a.address && origin !== b.address) strangers.push(request.url())
    })

    await page.goto(a.address)
    await page.getByRole('link', { name: 'Publish', exact: true }).first().click()
    await page.getByRole('link', { name: 'Article' }).click()
    await page.getByLabel('Title', { exact: true }).fill('The bridge is open')
    await page.getByLabel('Your name', { exact: true }).fill('Vera')
    await page
      .getByLabel('Text', { exact: true })
      .fill('People walk **slowly** today.\n\nNobody is in a hurry.')
    await page.getByLabel('Tags', { exact: true }).fill('transport, river')
    await page.getByRole('button', { name: 'Preview' }).click()
    t.is(await page.locator('.preview strong').innerText(), 'slowly')
    await page.getByRole('button', { name: 'Publish' }).click()
    const editLink = new URL((await page.locator('.secret a').getAttribute('href')) ?? '', a.address)
    await page.getByRole('link', { name: 'Read it' }).click()
    t.is(await page.getByRole('heading', { level: 1 }).innerText(), 'The bridge is open')

    await until('the article is on the other node', async () => {
      await page.goto(`${b.address}/newswire`)
      return (await page.getByRole('link', { name: 'The bridge is open' }).count()) > 0
    })
    await page.getByRole('link', { name: 'The bridge is open' }).first().click()
    t.is(await page.locator('.body strong').innerText(), 'slowly')

    await page.goto(b.address + editLink.pathname)
    t.is(await page.getByLabel('Title', { exact: true }).inputValue(), 'The bridge is open')
    await page.getByLabel('Title', { exact: true }).fill('The bridge is open again')
    await page.getByRole('button', { name: 'Save' }).click()
    t.is(await page.getByRole('heading', { level: 1 }).innerText(), 'The bridge is open again')
    await page.getByRole('link', { name: '2 versions' }).click()
    t.true((await page.locator('main').innerText()).includes('again'))

    await until('the edit is on the first node', async () => {
      await page.goto(`${a.address}/newswire`)
      return (await page.getByRole('link', { name: 'The bridge is open again' }).count()) > 0
    })
    t.deepEqual(strangers, [])
    t.deepEqual(await context.cookies(), [])
  },
)
