import test from 'ava'
import type { ExecutionContext } from 'ava'
import type { StoredPage } from '../../src/pages/store/stored-page.ts'
import { setClock } from '../helpers/clock.ts'
import { publish } from '../helpers/forms.ts'
import { keptNow, stalePages } from '../helpers/kept-pages.ts'
import { startNodeHere } from '../helpers/node-here.ts'
import type { NodeHere } from '../helpers/node-here.ts'

const DAY_MS = 86_400_000
/** A quarter of an hour off the hours, with clock changes of its own. */
const ZONE = 'Pacific/Chatham'
const KEEPS = `pages: { memoryBytes: 100000000 }\nsite: { timeZone: ${ZONE} }\n`

/** A node and its clock, which stands still where it was set. */
async function nodeInTime(t: ExecutionContext) {
  const node = await startNodeHere(t, KEEPS)
  let standsMs: number | undefined
  const now = Date.now
  setClock(t, () => standsMs ?? now())
  return { node, goTo: (ms: number) => (standsMs = ms) }
}

/** Reads pages; gives them as they are kept. */
async function keep(node: NodeHere, paths: readonly string[]): Promise<Map<string, StoredPage | undefined>> {
  for (const path of paths) await node.html(path)
  const kept = keptNow(node)
  const ofPath = (path: string) => [...kept].find(([key]) => key.endsWith(` ${path}`))?.[1]
  return new Map(paths.map((path) => [path, ofPath(path)]))
}

/** The first millisecond after `fromMs` at which the local day begins with another text. */
function nextAfter(fromMs: number, letters: number): number {
  const format = new Intl.DateTimeFormat('sv', { timeZone: ZONE })
  const textAt = (ms: number) => format.format(ms).slice(0, letters)
  let ms = fromMs - (fromMs % 60_000) + 60_000
  while (textAt(ms) === textAt(fromMs)) ms += 60_000
  return ms
}

test.serial(
  'time: an event that is over leaves what is coming up at its end, and its page says so',
  async (t) => {
    const { node, goTo } = await nodeInTime(t)
    const [start, end] = ['19:00', '21:00']
    const day = new Date(Date.now() + 2 * DAY_MS).toISOString().slice(0, 10)
    const fields = {
      title: 'Meeting',
      start: day,
      startTime: start,
      endTime: end,
      zone: 'UTC',
      repeat: 'none',
    }
    const { path } = await publish(node, { ...fields, tags: 'housing' }, 'event')
    const overMs = Date.parse(`${day}T${end}Z`)
    goTo(overMs - 1)
    const coming = ['/', '/calendar', '/tags/housing/calendar', path]
    const before = await keep(node, coming)
    for (const one of coming) t.true(before.get(one)?.body.includes('Meeting'), one)
    const again = await keep(node, coming)
    for (const one of coming) t.is(again.get(one), before.get(one), `${one} is kept to the last moment`)

    goTo(overMs)
    t.deepEqual(await stalePages(node), [])
    const after = await keep(node, coming)
    for (const one of coming.slice(0, 3)) t.false(after.get(one)?.body.includes('>Meeting<'), one)
    t.not(after.get(path)?.etag, before.get(path)?.etag)
  },
)

test.serial('time: of a series the page names what is to come, whichever occurrence ends next', async (t) => {
  const { node, goTo } = await nodeInTime(t)
  const day = new Date(Date.now() + 2 * DAY_MS).toISOString().slice(0, 10)
  const until = new Date(Date.parse(day) + 70 * DAY_MS).toISOString().slice(0, 10)
  const fields = { title: 'Weekly', start: day, startTime: '19:00', endTime: '21:00', zone: 'UTC' }
  const { path } = await publish(node, { ...fields, repeat: 'weekly', until }, 'event')
  const paths = [path, '/latest/feed.atom']
  for (let week = 0; week < 4; week += 1) {
    goTo(Date.parse(`${day}T21:00Z`) + week * 7 * DAY_MS - 1)
    const before = await keep(node, paths)
    goTo(Date.parse(`${day}T21:00Z`) + week * 7 * DAY_MS)
    t.deepEqual(await stalePages(node), [])
    const after = await keep(node, paths)
    for (const one of paths) t.not(after.get(one)?.etag, before.get(one)?.etag, `${one} in week ${week}`)
  }
})

test.serial('time: calendars know today until midnight by the site’s clock, and no longer', async (t) => {
  const { node, goTo } = await nodeInTime(t)
  const midnightMs = nextAfter(Date.now(), 10)
  goTo(midnightMs - 1)
  const today = new Intl.DateTimeFormat('sv', { timeZone: ZONE }).format(midnightMs - 1)
  const [year = '', month = ''] = today.split('-')
  const paths = ['/calendar', `/calendar/${year}/${month}`, `/calendar/${today}`]
  const before = await keep(node, paths)
  const again = await keep(node, paths)
  for (const path of paths) t.is(again.get(path), before.get(path), `${path} is kept to the last moment`)
  goTo(midnightMs)
  t.deepEqual(await stalePages(node), [])
  const after = await keep(node, paths)
  for (const path of paths) t.not(after.get(path)?.etag, before.get(path)?.etag, path)
})

test.serial('time: when a month begins, “month” leads to it', async (t) => {
  const { node, goTo } = await nodeInTime(t)
  const begunMs = nextAfter(Date.now(), 7)
  goTo(begunMs - 1)
  await keep(node, ['/calendar', '/calendar.ics'])
  goTo(begunMs)
  const month = new Intl.DateTimeFormat('sv', { timeZone: ZONE })
    .format(begunMs)
    .slice(0, 7)
    .replace('-', '/')
  t.deepEqual(await stalePages(node), [])
  t.true((await node.html('/calendar')).includes(`/calendar/${month}`))
})

test.serial('time: what is no news any more leaves the sitemap of news at that moment', async (t) => {
  const { node, goTo } = await nodeInTime(t)
  const published = await publish(node, { title: 'News' })
  const [row] = (await node.here.site.list({ view: 'listing', prefix: ['newswire'] }, { limit: 1 })).rows
  const oldMs = Date.parse(row?.at.slice(0, 24) ?? '') + 2 * DAY_MS
  goTo(oldMs)
  const before = await keep(node, ['/sitemap-news.xml'])
  t.true(before.get('/sitemap-news.xml')?.body.includes(published.path))
  goTo(oldMs + 1)
  t.deepEqual(await stalePages(node), [])
  t.false((await node.html('/sitemap-news.xml')).includes(published.path))
})
