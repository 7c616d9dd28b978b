import test from 'ava'
import type { Page } from 'playwright-core'
import { hasBrowser, startBrowser, violations } from '../helpers/browser.ts'
import { startNode } from '../helpers/node.ts'
import { until } from '../helpers/wait.ts'

const inBrowser = hasBrowser() ? test : test.skip

/** What people type to publish one of each kind, by the names that they see, and where it then stands. */
const ONE_OF_EACH: Record<string, { typed: Record<string, string>; stands: string[] }> = {
  Article: { typed: { Text: 'Bread **rises**.' }, stands: ['/', '/newswire', '/articles'] },
  Event: {
    typed: { 'Begins: day': '2031-05-06', 'Begins: time': '19:00', 'Time zone': 'Europe/Madrid' },
    stands: [
      '/',
      '/calendar',
      '/calendar/2031/05',
      '/calendar/2031-W19',
      '/calendar/2031-05-06',
      '/tags/bakery/calendar',
    ],
  },
  Link: { typed: { 'Web address': 'https://elsewhere.example/song.ogg' }, stands: ['/', '/links'] },
  'Picture story': { typed: { 'About it': 'The oven.' }, stands: ['/', '/newswire', '/photos', '/media'] },
  Sound: { typed: {}, stands: ['/', '/newswire', '/audio', '/media'] },
  Film: { typed: {}, stands: ['/', '/newswire', '/videos', '/media'] },
  Group: { typed: { 'In a few words': 'We bake.' }, stands: ['/', '/groups'] },
}
const EVERYWHERE = ['/latest', '/tags/bakery', '/places/quay', '/languages/en', '/search?q=today&tag=bakery']

async function fill(page: Page, typed: Record<string, string>): Promise<void> {
  for (const [label, value] of Object.entries(typed)) {
    const [group, part] = label.split(': ')
    if (part === undefined) await page.getByLabel(label, { exact: true }).fill(value)
    else {
      const set = page.getByRole('group', { name: group ?? '' })
      await set.getByLabel(part === 'day' ? 'Day' : 'Time').fill(value)
    }
  }
}

inBrowser(
  'without JavaScript: one of each kind is published and found in listings, feeds, calendar and search',
  async (t) => {
    const node = await startNode(t)
    const browser = await startBrowser(t)
    const context = await browser.newContext({ javaScriptEnabled: false, locale: 'en-GB' })
    const page = await context.newPage()
    for (const [kind, { typed, stands }] of Object.entries(ONE_OF_EACH)) {
      await page.goto(`${node.address}/publish`)
      await page.locator('.offers a', { has: page.locator(`strong:text-is("${kind}")`) }).click()
      const title = `${kind} of today`
      t.true(page.url().includes('/publish/'), `${kind}: ${page.url()}`)
      const common: Record<string, string> =
        kind === 'Group' ? { Name: title } : { Title: title, Places: 'Quay' }
      await fill(page, { ...common, Tags: 'Bakery', ...typed })
      await page.getByRole('button', { name: 'Publish', exact: true }).click()
      t.regex(page.url(), /\/published\//, kind)
      await page.getByRole('link', { name: 'Read it' }).click()
      t.is(await page.getByRole('heading', { level: 1 }).innerText(), title)
      if (kind === 'Event')
        t.true((await node.html(`${new URL(page.url()).pathname}/calendar.ics`)).includes(`SUMMARY:${title}`))
      const everywhere = EVERYWHERE.filter((path) => kind !== 'Group' || path !== '/places/quay')
      for (const path of [...stands, ...everywhere]) {
        await page.goto(node.address + path)
        t.true(
          (await page.locator('main').getByRole('link', { name: title }).count()) > 0,
          `${kind} in ${path}`,
        )
      }
      for (const feed of ['/latest/feed.atom', '/tags/bakery/feed.rss', '/search/feed.json?q=today'])
        t.true((await node.html(feed)).includes(title), `${kind} in ${feed}`)
    }
    await page.goto(node.address)
    await page.getByRole('search').getByRole('searchbox').fill('rises')
    await page.getByRole('search').getByRole('button').click()
    t.is(await page.locator('mark').first().innerText(), 'rises')
  },
)

inBrowser(
  'every sort of page holds WCAG 2.2 AA, light and dark, narrow and wide, in both directions',
  async (t) => {
    const node = await startNode(t)
    t.is((await node.run('seed')).code, 0)
    await until('the seeds are shown', async () => (await node.html('/features')).includes('rent strike'))
    const pathIn = async (listing: string, pattern: RegExp) =>
      pattern.exec(await node.html(listing))?.[0] ?? `no ${String(pattern)}`
    const story = await pathIn('/tags/housing', /\/articles\/[0-9a-z]{26}/)
    const pages = [
      '/',
      '/ar/',
      '/newswire',
      story,
      `${story}/history`,
      await pathIn('/calendar', /\/events\/[0-9a-z]{26}/),
      await pathIn('/groups', /\/groups\/[0-9a-z]{26}/),
      '/calendar',
      '/calendar/2026/12',
      '/calendar/2026-W50',
      '/ar/calendar/2026/12',
      '/publish',
      '/publish/article',
      '/ar/publish/event',
      story.replace('/articles/', '/comments/'),
      '/search?q=radio&kind=article',
      '/tags',
      '/archive',
      '/nothing/here',
    ]
    const browser = await startBrowser(t)
    for (const [colorScheme, width] of [
      ['light', 1280],
      ['dark', 360],
    ] as const) {
      const context = await browser.newContext({
        colorScheme,
        viewport: { width, height: 800 },
        bypassCSP: true,
        locale: 'en-GB',
      })
      const page = await context.newPage()
      for (const path of pages) {
        await page.goto(node.address + path)
        t.deepEqual(await violations(page), [], `${path} ${colorScheme} ${width}`)
        const wider = await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth')
        t.true(wider <= 0, `${path} is wider than ${width}`)
      }
    }
  },
)
