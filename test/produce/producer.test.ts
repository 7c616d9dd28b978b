import { readFile, rm, stat, writeFile } from 'node:fs/promises'
import type { RequestListener } from 'node:http'
import { join } from 'node:path'
import test from 'ava'
import type { ExecutionContext } from 'ava'
import { Producer } from '../../src/produce/producer.ts'
import { SiteFolder } from '../../src/produce/site-folder.ts'
import { noteDocuments, noteTime } from '../../src/reads.ts'
import { testFolder } from '../helpers/folder.ts'
import { filesOf } from '../helpers/produced.ts'
import { until } from '../helpers/wait.ts'

const ITEM = '01m83yydzved5b913tktd3xrqc'
const OTHER = '01m83yydzved5b913tktd3xrqd'
const STORY = `articles/${ITEM}/index.html`

function address(listing: string, number: number): string {
  return number === 0 ? listing : `${listing}?before=${encodeURIComponent(`p${number}_${ITEM}`)}`
}

/** A site of few pages, each of which is made of the document that has its address for an id. */
class SmallSite {
  readonly pages = new Map<string, string>()
  readonly failing = new Set<string>()
  /** What pages are made of beside what has their address. */
  readonly madeOf = new Map<string, string[]>()
  asked: string[] = []
  untilMs = Infinity

  application: RequestListener = (request, response) => {
    const path = request.url ?? ''
    this.asked.push(path)
    noteDocuments([path.split('/').at(-1) ?? '', ...(this.madeOf.get(path) ?? [])])
    if (path === '/') noteTime(this.untilMs)
    const html = this.pages.get(path)
    response.statusCode = this.failing.has(path) ? 500 : html === undefined ? 404 : 200
    response.end(html ?? `<p>nothing at ${path}</p>`)
  }

  links(path: string, ...to: string[]): void {
    this.pages.set(path, `<h1>${path}</h1>${to.map((one) => `<a href="${one}">${one}</a>`).join('')}`)
  }
}

async function start(
  t: ExecutionContext,
  folder?: string,
): Promise<{ site: SmallSite; producer: Producer; path: string }> {
  const path = folder ?? join(await testFolder(t), 'out')
  const site = new SmallSite()
  site.links('/', '/newswire', `/articles/${ITEM}`)
  site.links('/newswire', '/', `/articles/${ITEM}`, `/articles/${OTHER}`)
  site.links(`/articles/${ITEM}`, '/')
  site.links(`/articles/${OTHER}`, '/')
  const producer = new Producer({
    application: site.application,
    site: { calendar: () => Promise.resolve({ rows: [] }) },
    media: {
      site: { file: () => Promise.resolve(undefined) },
      blobs: { read: () => Promise.reject(new Error()) },
    },
    about: { language: 'en', timeZone: 'UTC' },
    folder: await SiteFolder.open(path),
    live: ['https://one.example'],
    follows: true,
  })
  t.teardown(() => producer[Symbol.asyncDispose]())
  return { site, producer, path }
}

test('a page that cannot be made is kept out and told, and nothing is removed because of it', async (t) => {
  const { site, producer, path } = await start(t)
  site.failing.add('/newswire')
  const report = await producer.produceAll()
  t.deepEqual(report.failed, [{ address: '/newswire', status: 500 }])
  t.false((await filesOf(path)).has('newswire/index.html'))
  t.true((await filesOf(path)).has(STORY))
  site.failing.clear()
  t.deepEqual((await producer.produceAll()).failed, [])
  t.true((await filesOf(path)).has(`articles/${OTHER}/index.html`))

  const next = await start(t, path)
  next.site.failing.add('/')
  t.is((await next.producer.produceAll()).removed, 0)
  t.true((await filesOf(path)).has(STORY), 'a front page that fails takes nothing away')
})

test('a change makes anew what was made of it, what is linked no more goes, and others hear of both', async (t) => {
  const { site, producer, path } = await start(t)
  await producer.produceAll()
  producer.follow()
  const list = join(path, '.hyperactive-site.json')
  const { ino } = await stat(list)
  const told: string[][] = []
  const end = producer.onChanged((paths) => told.push([...paths]))
  site.asked = []
  site.links('/newswire', '/', `/articles/${ITEM}`)
  site.links(`/articles/${ITEM}`, '/', '/tags/new')
  producer.changed({ documents: ['newswire', ITEM], rows: [], names: [] })
  await producer.settled()
  t.deepEqual(site.asked, [`/articles/${ITEM}`, '/newswire', '/tags/new'], 'the item itself first')
  const paths = told.flat()
  t.is(paths.at(0), STORY)
  t.deepEqual(paths.slice(1, -1).sort(), ['newswire/index.html', 'tags/new/index.html'])
  t.is(paths.at(-1), `articles/${OTHER}/index.html`)
  const files = await filesOf(path)
  t.false(files.has(`articles/${OTHER}/index.html`))
  t.deepEqual(
    [...producer.files.keys()].sort(),
    [...files.keys()].filter((name) => !name.startsWith('.')).sort(),
  )
  t.deepEqual(Object.fromEntries((await SiteFolder.open(path)).files), Object.fromEntries(producer.files))
  t.is((await stat(list)).ino, ino, 'the list of all files is not written for each change')
  end()
  site.asked = []
  producer.changed({ documents: ['something else'], rows: [], names: [] })
  await producer.settled()
  t.deepEqual(site.asked, [])
})

test('what changes while a page is made makes it again; what ends by itself is made when it does', async (t) => {
  const { site, producer, path } = await start(t)
  await producer.produceAll()
  producer.follow()
  site.links('/newswire', '/', '/tags/one')
  producer.changed({ documents: ['newswire'], rows: [], names: [] })
  site.links('/newswire', '/', '/tags/two')
  producer.changed({ documents: ['newswire'], rows: [], names: [] })
  await until('both have been followed', async () => (await filesOf(path)).has('tags/two/index.html'))
  await producer.settled()
  t.false((await filesOf(path)).has('tags/one/index.html'))

  site.untilMs = Date.now() + 200
  producer.startOver()
  await producer.settled()
  site.links('/', '/tags/later')
  site.untilMs = Infinity
  await until('the time has come', async () => (await filesOf(path)).has('tags/later/index.html'))
})

test('a page that always fails keeps no change waiting, and not the time either', async (t) => {
  const { site, producer, path } = await start(t)
  site.failing.add(`/articles/${OTHER}`)
  producer.follow()
  await producer.whole
  t.true((await filesOf(path)).has(STORY), 'what can be made is there')
  // So many pauses, each twice as long, would last longer than anybody waits.
  for (let round = 0; round < 8; round += 1) {
    site.links(`/articles/${ITEM}`, `/tags/${round}`)
    producer.changed({ documents: [ITEM], rows: [], names: [] })
    const file = `tags/${round}/index.html`
    await until('the change has been followed', async () => (await filesOf(path)).has(file), 10_000)
  }
  site.untilMs = Date.now() + 500
  producer.startOver()
  await until('the front page is made again', () => site.asked.filter((one) => one === '/').length > 1)
  site.untilMs = Infinity
  site.links('/', '/newswire', '/tags/later')
  await until('the time has come', async () => (await filesOf(path)).has('tags/later/index.html'))
  site.failing.clear()
  await producer.settled()
  t.true((await filesOf(path)).has(`articles/${OTHER}/index.html`))
})

test('a page without which there is no site is waited for', async (t) => {
  const { site, producer } = await start(t)
  site.failing.add('/')
  producer.follow()
  let isWhole = false
  const whole = producer.whole.then(() => (isWhole = true))
  await until('it has been tried twice', () => site.asked.filter((one) => one === '/').length > 1)
  t.false(isWhole)
  site.failing.clear()
  await whole
  t.true(producer.files.has(STORY))
})

test('what is said of a comment, hidden or not, comes to the page of its item first', async (t) => {
  const { site, producer } = await start(t)
  const comment = `comment:${ITEM}:${'a'.repeat(64)}`
  for (const path of site.pages.keys()) site.madeOf.set(path, [`${comment}|visible`])
  await producer.produceAll()
  producer.follow()
  site.asked = []
  producer.changed({ documents: [comment, `${comment}|visible`], rows: [], names: [] })
  await producer.settled()
  t.is(site.asked[0], `/articles/${ITEM}`)
  t.is(site.asked.length, 4)
})

test('other nodes take forms now: every page says so', async (t) => {
  const { site, producer, path } = await start(t)
  site.links('/', '/publish', `/articles/${ITEM}`)
  await producer.produceAll()
  producer.follow()
  site.asked = []
  producer.setLive(['https://one.example'])
  await producer.settled()
  t.deepEqual(site.asked, [], 'they are the same')
  producer.setLive(['https://two.example'])
  await producer.settled()
  t.true((await readFile(join(path, 'index.html'), 'utf8')).includes('href="https://two.example/publish"'))
})

test('a disk that is full for a while costs nothing but time', async (t) => {
  const { site, producer, path } = await start(t)
  await producer.produceAll()
  producer.follow()
  // Where the folder of a page should be stands a file.
  await writeFile(join(path, 'tags'), 'in the way')
  site.links('/newswire', '/tags/new')
  producer.changed({ documents: ['newswire'], rows: [], names: [] })
  await until('the link stands', async () =>
    (await readFile(join(path, 'newswire/index.html'), 'utf8')).includes('tags'),
  )
  await rm(join(path, 'tags'))
  await until('the page is there', async () => (await filesOf(path)).has('tags/new/index.html'))
  t.is(await readFile(join(path, 'tags/new/index.html'), 'utf8'), '<p>nothing at /tags/new</p>')
})

test('pages of a listing lead to each other both ways, and long ones end at the archive', async (t) => {
  const { site, producer, path } = await start(t)
  const fill = (listing: string, count: number) => {
    for (let number = 0; number < count; number += 1) {
      const newer = number > 0 ? `<a rel="prev" href="${listing}?after=x${number}_${ITEM}">newer</a>` : ''
      const older = number < count - 1 ? `<a rel="next" href="${address(listing, number + 1)}">older</a>` : ''
      site.pages.set(address(listing, number), `<h1>${listing} ${number}</h1>${newer}${older}`)
    }
  }
  fill('/newswire', 60)
  fill('/tags/river', 60)
  site.links('/', '/newswire', '/tags/river')
  await producer.produceAll()
  const walk = async (first: string, rel: string) => {
    const seen: string[] = []
    for (let file: string | undefined = first; file !== undefined;) {
      seen.push(file)
      const html: string = await readFile(join(path, file), 'utf8')
      const href: string | undefined = new RegExp(`rel="${rel}" href="([^"]+)"`).exec(html)?.[1]
      file = href === undefined ? undefined : new URL(href, `http://x/${file}`).pathname.slice(1)
    }
    return seen
  }
  const all = await walk('tags/river/index.html', 'next')
  t.is(all.length, 60)
  t.deepEqual((await walk(all.at(-1) ?? '', 'prev')).reverse(), all)
  const wire = await walk('newswire/index.html', 'next')
  t.is(wire.length, 26)
  t.is(wire.at(-1), 'archive/index.html')
})
