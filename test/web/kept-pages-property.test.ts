import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import type { ExecutionContext } from 'ava'
import * as fc from 'fast-check'
import type { SiteDocument, SiteItem } from '../../src/project/site-item.ts'
import type { StoredPage } from '../../src/pages/store/stored-page.ts'
import { testFolder } from '../helpers/folder.ts'
import {
  askedFor,
  asKept,
  crawl,
  isSame,
  keptNow,
  renderAnew,
  sortOf,
  stalePages,
} from '../helpers/kept-pages.ts'
import { startNodeHere } from '../helpers/node-here.ts'
import type { NodeHere } from '../helpers/node-here.ts'
import { join2, startNode } from '../helpers/node.ts'
import type { TestNode } from '../helpers/node.ts'
import { setUp } from '../helpers/people.ts'
import { Changer, CHANGES } from './kept-changes.ts'

const ROUNDS = 12
const FROM = [
  '/robots.txt',
  '/sitemap.xml',
  '/sitemap-news.xml',
  '/calendar.ics',
  '/hidden',
  '/moderation',
  '/clashes',
  '/latest',
  '/ar/',
  '/ar/newswire',
  '/ar/calendar',
  '/es/',
  '/features',
  '/promoted',
  '/media',
]

const READ = { from: FROM, ofASort: 20, most: 350 }

const change = fc.record({ do: fc.constantFrom(...CHANGES), pick: fc.nat(10_000), other: fc.nat(10_000) })

/** Old articles, so that listings and the archive are some pages deep. */
async function importOld(t: ExecutionContext, node: TestNode): Promise<void> {
  const folder = join(await testFolder(t), 'old')
  await mkdir(folder)
  const words = ['quarry', 'weaver', 'printer']
  for (let number = 0; number < 45; number += 1) {
    const date = new Date(Date.UTC(2021, number, 3)).toISOString()
    const front = `title: Old ${number}\ndate: ${date}\ntags: [${words[number % 3]}]\nauthor: Writer ${number % 4}\nlanguage: fr`
    await writeFile(join(folder, `${number}.md`), `---\n${front}\n---\nWas written then.\n`)
  }
  const { code, err } = await node.run('import', folder)
  if (code !== 0) throw new Error(err)
}

/** What of a site's documents has changed, and what stands on them, before and after. */
class Touched {
  readonly items = new Set<string>()
  readonly names = new Set<string>()
  isFramed = false

  constructor(before: Record<string, SiteDocument>, after: Record<string, SiteDocument>) {
    const all = new Set([...Object.keys(before), ...Object.keys(after)])
    for (const id of all) {
      const pair = [before[id], after[id]]
      if (JSON.stringify(pair[0]) === JSON.stringify(pair[1])) continue
      for (const document of pair) if (document) this.#take(document, after)
    }
  }

  #take(document: SiteDocument, after: Record<string, SiteDocument>): void {
    if (document.type === 'comment') {
      const on = after[document.item]
      if (on) this.#take(on, after)
    }
    if (document.type !== 'item') return
    const { _id, kind, listing, at, language, fields } = { ...document, language: document.listing.language }
    this.items.add(_id)
    for (const name of listing.tags) this.names.add(`/tags/${encodeURIComponent(name)}`)
    for (const name of listing.places) this.names.add(`/places/${encodeURIComponent(name)}`)
    this.names.add(`/authors/${encodeURIComponent(listing.author ?? '')}`)
    this.names.add(`/languages/${language}`)
    this.names.add(`/archive/${at.slice(0, 4)}`)
    if (listing.group !== undefined) this.items.add(listing.group)
    if (typeof fields.translationOf === 'string') this.items.add(fields.translationOf)
    if (['page', 'snippet', 'term'].includes(kind)) this.isFramed = true
  }

  /** Whether a page shows nothing of all this, whatever it is made of. */
  spares(path: string, documents: Record<string, SiteDocument>): boolean {
    if (this.isFramed || path.includes('/calendar')) return false
    const [, name] = /^(\/(?:tags|places|authors|languages|archive)\/[^/?]+)/.exec(path) ?? []
    if (name !== undefined) return !this.names.has(name)
    const [, id = ''] = /^\/(?:articles|photos|links|audio|videos)\/([0-9a-z]{26})/.exec(path) ?? []
    const item = documents[id] as SiteItem | undefined
    if (item?.type !== 'item' || this.items.has(id)) return false
    const { listing, fields } = item
    return (
      listing.tags.every((tag) => !this.names.has(`/tags/${encodeURIComponent(tag)}`)) &&
      !this.items.has(listing.group ?? '') &&
      (typeof fields.translationOf !== 'string' || !this.items.has(fields.translationOf))
    )
  }
}

/** Pages that changes dropped, though they would be made the same again. */
class Drops {
  dropped = 0
  readonly needless = new Map<string, number>()

  async count(node: NodeHere, before: ReadonlyMap<string, StoredPage>, now: ReadonlyMap<string, StoredPage>) {
    for (const [key, page] of before) {
      if (now.get(key) === page || page.reads.untilMs <= Date.now()) continue
      this.dropped += 1
      if (!isSame(asKept(page), await renderAnew(node, key))) continue
      const sort = sortOf(askedFor(key).path)
      this.needless.set(sort, (this.needless.get(sort) ?? 0) + 1)
    }
  }

  get needlessly(): number {
    return [...this.needless.values()].reduce((sum, count) => sum + count, 0)
  }
}

test('whatever changes on one node, every kept page of another is as it would be made now, and others stay', async (t) => {
  t.timeout(600_000)
  const a = await startNode(t, { HYPERACTIVE_ABUSE_LIMITS: 'off' })
  const b = await startNodeHere(t, 'pages: { memoryBytes: 200000000 }\nmoderation: { erasures: execute }\n')
  await importOld(t, a)
  await join2(a, b)
  const root = await setUp(a)
  const changer = new Changer({ a, b, root })
  const drained = () => b.here.projector.drained()
  const documents = async () => (await b.siteDocuments()) as Record<string, SiteDocument>
  for (const one of ['publish', 'publish-group', 'publish-event', 'publish'] as const)
    await changer.make({ do: one, pick: 4, other: 10 })
  await changer.arrived(drained)
  const drops = new Drops()
  let [spared, kept] = [0, 0]

  await crawl(b, READ)
  const rounds = fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 3 }), async (changes) => {
    const [before, old] = [keptNow(b), await documents()]
    const done: string[] = []
    for (const one of changes) done.push(await changer.make(one))
    await changer.arrived(drained)
    const [now, fresh] = [keptNow(b), await documents()]
    const told = `after ${done.join('; ')}`
    const stale = await stalePages(b)
    if (stale.length > 0) throw new Error(`${told}:\n${stale.join('\n')}`)
    await drops.count(b, before, now)
    const touched = new Touched(old, fresh)
    const read = await crawl(b, READ)
    const after = keptNow(b)
    for (const [key, page] of before) {
      if (page.reads.untilMs <= Date.now()) continue
      const isSpared = touched.spares(askedFor(key).path, old)
      if (isSpared && after.get(key) !== page) throw new Error(`${told}: ${key} was made again for nothing`)
      if (isSpared) spared += 1
      if (now.get(key) === page && after.get(key) !== page)
        throw new Error(`${told}: ${key} was kept and made again`)
    }
    kept += after.size
    t.true(read.size > 100)
  })
  await fc.assert(rounds, { numRuns: ROUNDS, endOnFailure: true })
  t.log(`${kept} kept pages compared, ${drops.dropped} dropped, ${drops.needlessly} of them for nothing`)
  t.log([...drops.needless].sort(([, x], [, y]) => y - x).slice(0, 20))
  t.true(spared > 100, `${spared} pages were spared for sure`)
  t.true(drops.needlessly <= drops.dropped * 0.25, 'few pages are made again for nothing')

  // What a node holds in memory beside its kept pages is no other than what it reads when it starts.
  const before = keptNow(b)
  await b.stop()
  await b.start()
  const different: string[] = []
  for (const [key, page] of before) {
    const fresh = await renderAnew(b, key)
    if (page.reads.untilMs > Date.now() && !isSame(asKept(page), fresh)) different.push(key)
  }
  t.deepEqual(different, [])
})
