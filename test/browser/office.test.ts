import test from 'ava'
import { hasBrowser, startBrowser, violations } from '../helpers/browser.ts'
import { publish } from '../helpers/forms.ts'
import { startNode } from '../helpers/node.ts'
import { codeOf, PASSWORD } from '../helpers/people.ts'
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
    for (const path of ['/moderation', '/hidden', '/office/people', story.path]) {
      await go(path)
      await check()
    }
    t.true((await page.locator('main').innerText()).includes('Read the guidelines.'))
  },
)
