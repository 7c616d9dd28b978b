import test from 'ava'
import type { Browser, Page } from 'playwright-core'
import { hasBrowser, startBrowser, violations } from '../helpers/browser.ts'
import { publish } from '../helpers/forms.ts'
import { startNode } from '../helpers/node.ts'
import type { TestNode } from '../helpers/node.ts'
import { codeOf, PASSWORD, setUp, Visitor } from '../helpers/people.ts'
import { until } from '../helpers/wait.ts'

const inBrowser = hasBrowser() ? test : test.skip

inBrowser(
  'without JavaScript: set up, second factor, sign in, a report, the office, hide, and the log; all pages for everybody',
  async (t) => {
    const node = await startNode(t)
    const story = await publish(node, { title: 'Rude story', body: 'A rude word.' })
    const browser = await startBrowser(t)
    const context = await browser.newContext({ javaScriptEnabled: false, locale: 'en-GB' })
    const page = await context.newPage()
    /** Looks at the page that stands, as the same person sees it with a program that checks it. */
    const check = async () => {
      for (const [colorScheme, width] of [
        ['light', 1280],
        ['dark', 360],
      ] as const) {
        const storageState = await context.storageState()
        const other = await browser.newContext({
          storageState,
          colorScheme,
          viewport: { width, height: 800 },
        })
        const seen = await other.newPage()
        await seen.goto(page.url())
        t.deepEqual(await violations(seen), [], `${page.url()} ${colorScheme} ${width}`)
        const wide = await seen.evaluate<number>('document.documentElement.scrollWidth')
        t.true(wide <= width, `${page.url()} is ${wide} wide on ${width}`)
        await other.close()
      }
    }
    const go = (path: string) => page.goto(node.address + path)
    const press = (name: string) => page.locator('main').getByRole('button', { name, exact: true }).click()

    const link = await until('the link', () => /set up {3}http:\/\/[^/]+(\/\S+)/.exec(node.output)?.[1])
    await go(link)
    await check()
    await page.getByLabel('Handle').fill('ada')
    await page.getByLabel('Password').fill(PASSWORD)
    await press('Set up this node')
    t.is(page.url(), `${node.address}/account`)
    await check()
    const secret = (await page.locator('main code').innerText()).trim()
    await page.getByLabel('Code').fill(codeOf(secret))
    await page.locator('#codes-password').fill(PASSWORD)
    await press('Set up one-time codes')
    t.is(await page.locator('.codes li').count(), 10)
    await go('/account')
    await check()
    await press('Sign out')

    await go(story.path)
    await page.getByRole('link', { name: 'Report', exact: true }).click()
    await check()
    await page.getByLabel('Reason').selectOption('hate')
    await press('Send the report')
    t.true((await page.locator('main').innerText()).includes('Thank you'))

    await go('/office')
    await check()
    await page.getByLabel('Handle').fill('ada')
    await page.getByLabel('Password').fill(PASSWORD)
    await press('Sign in')
    await check()
    await page.getByLabel('Code').fill(codeOf(secret, 1))
    await press('Sign in')
    t.is(page.url(), `${node.address}/office`)
    await check()
    await page.getByLabel('Rude story').check()
    await page.getByLabel('In your own words').fill('Read the guidelines.')
    await press('Hide')
    t.true((await page.locator('main').innerText()).includes('Nothing awaits review'))
    await go(`/moderate/${story.item}`)
    await check()
    for (const path of ['/moderation', '/hidden', '/office/people', '/office/filters', story.path]) {
      await go(path)
      await check()
      if (path !== '/moderation') continue
      const log = await page.locator('main').innerText()
      for (const text of ['Rude story', 'Read the guidelines.']) t.true(log.includes(text), log)
    }
    t.true((await page.locator('main').innerText()).includes('Read the guidelines.'))
  },
)

/** A page of somebody who has signed in. */
async function pageOf(
  browser: Browser,
  node: TestNode,
  { cookie = '' }: Visitor,
  options = {},
): Promise<Page> {
  const context = await browser.newContext({ locale: 'en-GB', ...options })
  const [name = '', value = ''] = cookie.split('=')
  await context.addCookies([{ name, value, url: node.address }])
  return context.newPage()
}

/** Goes on with the tabulator until something has the focus. */
async function tabTo(page: Page, selector: string): Promise<void> {
  for (let presses = 0; presses < 100; presses += 1) {
    await page.keyboard.press('Tab')
    if ((await page.locator(`${selector}:focus`).count()) > 0) return
  }
  throw new Error(`the tabulator does not lead to ${selector}`)
}

inBrowser('the queue and a filter by the keyboard alone, without JavaScript', async (t) => {
  const node = await startNode(t)
  const moderator = await setUp(node)
  const [rude, fine] = [
    await publish(node, { title: 'Rude story', body: 'A rude word.' }),
    await publish(node, { title: 'Fine story' }),
  ]
  await new Visitor(node).send(`/report/${rude.item}`, { reason: 'It is rude.' })
  const page = await pageOf(await startBrowser(t), node, moderator, { javaScriptEnabled: false })
  await page.goto(`${node.address}/office`)
  await tabTo(page, `[name="choose-${rude.item}"]`)
  await page.keyboard.press('Space')
  await tabTo(page, 'select[name=category]')
  await page.keyboard.type('contempt')
  await tabTo(page, 'button[value=hide]')
  await page.keyboard.press('Enter')
  await page.getByText('Nothing awaits review').waitFor()
  t.true((await node.html('/hidden')).includes('Rude story'))
  await tabTo(page, `[name="choose-${fine.item}"]`)
  await page.keyboard.press('Space')
  await tabTo(page, 'button[value=dismiss]')
  await page.keyboard.press('Enter')
  await page.locator(`[name="choose-${fine.item}"]`).waitFor({ state: 'detached' })

  await page.goto(`${node.address}/office/filters`)
  await tabTo(page, '#name')
  await page.keyboard.type('Rude words')
  await tabTo(page, '#pattern')
  await page.keyboard.type('fine')
  await tabTo(page, 'button[value=preview]')
  await page.keyboard.press('Enter')
  await page.getByText('It matches 1 text.').waitFor()
  await tabTo(page, 'button[value=save]')
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: 'The filters of this node' }).waitFor()
  t.true((await page.locator('main').innerText()).includes('Rude words'))
})

inBrowser(
  'with JavaScript the count of what waits is kept up to date, and keys lead through the queue',
  async (t) => {
    const node = await startNode(t)
    const moderator = await setUp(node)
    const [first, second] = [
      await publish(node, { title: 'First' }),
      await publish(node, { title: 'Second' }),
    ]
    const page = await pageOf(await startBrowser(t), node, moderator)
    const problems: string[] = []
    page.on('pageerror', (error) => problems.push(error.message))
    page.on('console', (message) => message.type() === 'error' && problems.push(message.text()))
    await page.goto(`${node.address}/office`)
    const count = page.locator('output[aria-live=polite]')
    t.is(await count.innerText(), 'Nothing awaits review.')
    await new Visitor(node).send(`/report/${first.item}`, { reason: 'Rude' })
    await page.getByText('1 report to look at').waitFor({ timeout: 30_000 })
    t.regex(await page.title(), /^\(1\) Office/)

    const box = (item: string) => page.locator(`[name="choose-${item}"]`)
    const other = page.locator('body')
    await other.press('x')
    t.false(await box(second.item).isChecked(), 'keys mean nothing elsewhere')
    await box(second.item).focus()
    await page.keyboard.press('x')
    t.true(await box(second.item).isChecked())
    await page.keyboard.press('j')
    await page.keyboard.press('x')
    t.true(await box(first.item).isChecked())
    await page.keyboard.press('k')
    await page.keyboard.press('x')
    t.false(await box(second.item).isChecked())
    t.deepEqual(problems, [])
  },
)

inBrowser('the queue with entries in it, and the preview of a filter, are accessible', async (t) => {
  const node = await startNode(t)
  const moderator = await setUp(node)
  const story = await publish(node, { title: 'Rude story', body: 'A rude word.', summary: 'Short.' })
  await publish(node, { title: 'Fine story' })
  await new Visitor(node).send(`/report/${story.item}`, { reason: 'It is rude.' })
  await moderator.send(`/moderate/${story.item}`, { action: 'note', note: 'Asked.' })
  const browser = await startBrowser(t)
  for (const [colorScheme, width] of [
    ['light', 1280],
    ['dark', 360],
  ] as const) {
    const page = await pageOf(browser, node, moderator, { colorScheme, viewport: { width, height: 800 } })
    const check = async () => {
      t.deepEqual(await violations(page), [], `${page.url()} ${colorScheme} ${width}`)
      t.true((await page.evaluate<number>('document.documentElement.scrollWidth')) <= width)
    }
    const tryOut = async (name: string, pattern: string) => {
      await page.getByLabel('Name', { exact: true }).fill(name)
      await page.getByRole('textbox', { name: 'Pattern' }).fill(pattern)
      await page.getByRole('button', { name: 'Preview on the newest 1,000' }).click()
    }
    for (const path of ['/office', `/moderate/${story.item}`]) {
      await page.goto(node.address + path)
      await check()
    }
    await page.goto(`${node.address}/office/filters`)
    await tryOut('Rude words', 'rude')
    await page.getByText('It matches 1 text.').waitFor()
    await check()
    await page.getByRole('button', { name: 'Save', exact: true }).click()
    await page.getByRole('heading', { name: 'The filters of this node' }).waitFor()
    await check()
    await page.getByRole('radio', { name: 'a regular expression' }).check()
    await tryOut('No expression', '(')
    await page.getByText('This pattern cannot be read').waitFor()
    await check()
  }
})
