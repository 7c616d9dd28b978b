import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fetch as request } from 'undici'
import { formFields, publish, send } from '../test/helpers/forms.ts'
import type { Asked } from '../test/helpers/forms.ts'
import { until } from '../test/helpers/wait.ts'
import { loadConfig } from '../src/config/config.ts'
import { startNode } from '../src/node.ts'
import { pathOf } from '../src/pages/models.ts'
import { atLeast, atMost, median, percentile, plain } from './figure.ts'
import type { Benchmark } from './figure.ts'
import { benchFolder, benchNode, pick } from './nodes.ts'
import { bareServer, load, nginxServer } from './servers.ts'
import { fillLedger } from './site-of.ts'

const ROUNDS = 21
const SECONDS = 1
const PAGE_BYTES = 30_000
const URL_OF_SITE = 'http://news.example.org'

export const storedPage: Benchmark = {
  name: 'stored-page',
  about: `requests a second for one page of 30 KB, by wrk, one server after the other for ${SECONDS} s; medians of ${ROUNDS} rounds, of ratios those within a round`,
  async run() {
    await using folder = await benchFolder()
    await using keeps = benchNode(folder.path, 'keeps')
    await using renders = benchNode(folder.path, 'renders')
    for (const [node, yaml] of [
      [keeps, ''],
      [renders, 'pages: { memoryBytes: 0 }\n'],
    ] as const) {
      await mkdir(node.data, { recursive: true })
      await node.writeConfig(`url: ${URL_OF_SITE}\n${yaml}`)
      await node.start()
    }
    const body = 'A text of a few words. '.repeat(Math.ceil(PAGE_BYTES / 23) - 250)
    const [story, same] = [
      await publish(keeps, { title: 'A story', body }),
      await publish(renders, { title: 'A story', body }),
    ]
    const html = await keeps.html(story.path)
    const file = join(folder.path, 'page.html')
    await writeFile(file, html)
    const page = join(keeps.data, 'pages', `en${story.path}`, 'index.html')
    await until('the page is on disk', async () => (await readFile(page, 'utf8')) === html)
    await using bare = await bareServer('http', file)
    await using koa = await bareServer('koa', file)
    const plainly = `root ${folder.path}; try_files /page.html =404;`
    await using nginx = await nginxServer(join(folder.path, 'nginx'), plainly)
    const kept = `root ${join(keeps.data, 'pages')}; try_files /en$uri/index.html =404;`
    await using nginxOnStore = await nginxServer(join(folder.path, 'nginx-on-store'), kept)
    const targets = {
      ours: keeps.address + story.path,
      bare: `${bare.address}/`,
      koa: `${koa.address}/`,
      nginx: `${nginx.address}/page.html`,
      'nginx on the store': nginxOnStore.address + story.path,
      'not kept': renders.address + same.path,
    }
    const rates: Record<string, number[]> = {}
    for (let round = 0; round < ROUNDS; round += 1)
      for (const [name, url] of Object.entries(targets)) (rates[name] ??= []).push(await load(url, SECONDS))
    const of = (name: keyof typeof targets) => rates[name] ?? []
    // A machine that is shared is faster now and slower then: within a round it is about the same.
    const ratio = (name: keyof typeof targets, to: keyof typeof targets) =>
      median(of(name).map((rate, round) => rate / (of(to)[round] ?? Number.NaN)))
    return [
      plain('stored-page', html.length / 1000, 'KB', 'size of the page'),
      plain('stored-page', median(of('ours')), 'requests/s', 'ours'),
      atLeast('stored-page', ratio('ours', 'bare'), 'times', 0.95, 'ours to bare node:http'),
      atLeast('stored-page', ratio('ours', 'nginx'), 'times', 0.55, 'ours to nginx with one worker'),
      atLeast(
        'stored-page',
        ratio('nginx on the store', 'nginx'),
        'times',
        0.95,
        'nginx on our files to nginx on one file',
      ),
      atLeast('stored-page', ratio('ours', 'koa'), 'times', 1.5, 'ours to Koa with a Buffer'),
      plain('stored-page', ratio('ours', 'not kept'), 'times', 'ours to our page made each time'),
    ]
  },
}

const SAVES = 220
const WARM_UP = 20

export const saveToFile: Benchmark = {
  name: 'save-to-file',
  about: `from sending a form until the new page is on disk, ${SAVES - WARM_UP} times`,
  async run() {
    await using folder = await benchFolder()
    await using node = benchNode(folder.path, 'node')
    await mkdir(node.data, { recursive: true })
    await node.writeConfig(`url: ${URL_OF_SITE}\n`)
    await node.start()
    const measured: number[] = []
    const newswire = join(node.data, 'pages/en/newswire/index.html')
    for (let round = 0; round < SAVES; round += 1) {
      const title = `Story ${round} of the measurement`
      const begun = performance.now()
      const sent = publish(node, { title, body: 'A text of a few words. '.repeat(40) })
      await until(
        `round ${round} is on disk`,
        async () => {
          return (await readFile(newswire, 'utf8').catch(() => '')).includes(title)
        },
        60_000,
        0,
      )
      const { path } = await sent
      await until(
        `the page of round ${round} is on disk`,
        async () => {
          return (
            await readFile(join(node.data, 'pages', `en${path}`, 'index.html'), 'utf8').catch(() => '')
          ).includes(title)
        },
        60_000,
        0,
      )
      if (round >= WARM_UP) measured.push(performance.now() - begun)
    }
    return [
      plain('save-to-file', percentile(measured, 0.5), 'ms', 'p50'),
      atMost('save-to-file', percentile(measured, 0.99), 'ms', 250, 'p99'),
    ]
  },
}

const ITEMS = 20_000
const REQUESTS = 20_000
/** A busy day of a large site, all day. */
const GAP_MS = 5
const NEWEST_FIRST = ['/', '/newswire', '/newswire/feed.atom']
const LISTINGS = [...NEWEST_FIRST, '/calendar', '/tags', '/features', '/latest']

export const trace: Benchmark = {
  name: 'trace',
  about: `${REQUESTS} requests, one each ${GAP_MS} ms, after one pass over everything: 90 % items by Zipf's law among ${ITEMS}, 9 % listings, 1 % new stories and comments`,
  async run() {
    await using folder = await benchFolder()
    const data = join(folder.path, 'node')
    const environment = {
      HYPERACTIVE_DATA: data,
      HYPERACTIVE_PORT: '0',
      HYPERACTIVE_ABUSE_LIMITS: 'off',
      HYPERACTIVE_URL: URL_OF_SITE,
    }
    await mkdir(data, { recursive: true })
    const made = await fillLedger(data, ITEMS)
    await using node = await startNode(loadConfig({}, environment))
    const { kept, address } = node
    const page: Asked['page'] = (path, init) => request(address + path, { redirect: 'manual', ...init })
    const get = async (path: string) => {
      const answer = await page(path)
      if (answer.status !== 200) throw new Error(`${path} answered ${answer.status}`)
      return answer.text()
    }
    const asked = { html: get, page }
    await until('the site is made', async () => (await get('/newswire')).includes('Report'), 600_000)
    await node.projector.drained()
    const paths = made.toReversed().map(({ kind, item }) => pathOf(kind, item))
    for (const path of [...paths, ...LISTINGS]) await get(path)
    await kept.renewed()

    const random = randomFrom(7)
    const zipf = zipfOf(paths.length)
    const commented = paths.filter((path) => !path.startsWith(pathOf('group', '')))
    const shown = new Map<string, string>()
    let [stale, writes] = [0, 0]
    const before = { ...kept.counts }
    for (let number = 0; number < REQUESTS; number += 1) {
      const begun = performance.now()
      const drawn = random()
      const path = paths[zipf(random())] ?? ''
      if (drawn < 0.9) {
        if (!(await get(path)).includes(shown.get(path) ?? '')) stale += 1
      } else if (drawn < 0.99) {
        const listing = LISTINGS[Math.floor(random() * LISTINGS.length)] ?? ''
        if (!(await get(listing)).includes(shown.get(listing) ?? '')) stale += 1
      } else {
        writes += 1
        const title = `Story number ${number} of this day`
        if (writes % 2 === 0) {
          const tags = `${pick(number)}, ${pick(number * 7 + 3)}`
          await publish(asked, { title, tags })
          for (const listing of NEWEST_FIRST) shown.set(listing, title)
        } else {
          const on = commented[zipf(random()) % commented.length] ?? ''
          const item = on.split('/').at(-1) ?? ''
          const form = formFields(await asked.html(`/comments/${item}`))
          await send(asked, `/comments/${item}`, { ...form, body: title, action: 'publish' })
          shown.set(on, title)
        }
      }
      const leftMs = GAP_MS - (performance.now() - begun)
      if (leftMs > 0) await pause(leftMs)
    }
    const hits = kept.counts.hits - before.hits
    const misses = kept.counts.misses - before.misses
    return [
      plain('trace', writes, 'times', 'new stories and comments'),
      atLeast('trace', (100 * hits) / (hits + misses), '% of answers', 99.5, 'kept'),
      atMost('trace', stale, 'answers', 0, 'stale'),
    ]
  },
}

function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32
    return state / 2 ** 32
  }
}

/** Draws places 0 to count - 1 so that the n-th is asked for 1/n as often as the first. */
function zipfOf(count: number): (share: number) => number {
  const sums: number[] = []
  let sum = 0
  for (let place = 1; place <= count; place += 1) sums.push((sum += 1 / place))
  return (share) => {
    const wanted = share * sum
    let [low, high] = [0, count - 1]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((sums[middle] ?? 0) < wanted) low = middle + 1
      else high = middle
    }
    return low
  }
}
