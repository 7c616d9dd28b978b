import test from 'ava'
import * as fc from 'fast-check'
import '../helpers/seed.ts'
import { Addresses } from '../../src/produce/addresses.ts'

const ITEM = '01m83yydzved5b913tktd3xrqc'
const addresses = new Addresses('en', ['de'])
const fileOf = (address: string) => addresses.read(address)?.file

const name = fc.oneof(
  fc.string({ minLength: 1 }),
  fc.string({ unit: 'grapheme', minLength: 1 }),
  fc.constantFrom(
    '..',
    '.',
    'con',
    'CON',
    'con.',
    'aux.html',
    'a/b',
    'a\\b',
    'index.html',
    'feed.atom',
    'river',
    'River',
    'RIVER',
    'río',
    'ri\u0301o',
    'x~0',
    'x'.repeat(300),
    'newswire',
    ' ',
    'a ',
    'a:b',
    'calendar',
  ),
)

test('no two addresses share a file, on whatever file system, and every name is one that all of them take', (t) => {
  fc.assert(
    fc.property(fc.array(name, { minLength: 2, maxLength: 8 }), (names) => {
      const keys = new Set<string>()
      const files = new Set<string>()
      for (const text of names.filter((one) => one.isWellFormed())) {
        for (const address of [
          `/tags/${encodeURIComponent(text)}`,
          `/de/tags/${encodeURIComponent(text)}`,
          `/places/${encodeURIComponent(text)}`,
          `/tags/river?before=${encodeURIComponent(text)}`,
        ]) {
          const found = addresses.read(address)
          if (!found) continue
          keys.add(found.key)
          files.add(found.file.normalize('NFC').toLowerCase())
          for (const part of found.file.split('/')) {
            t.regex(part, /^[a-z0-9_-]*(?:~[0-9a-f]{16})?(?:\.[a-z]+)?$/)
            t.true(part.length > 0 && part.length < 90)
            t.notRegex(part, /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/)
          }
        }
      }
      t.is(files.size, keys.size)
      const folders = [...files].flatMap((file) =>
        file
          .split('/')
          .slice(0, -1)
          .map((_, at, all) => all.slice(0, at + 1).join('/')),
      )
      t.false(
        folders.some((folder) => files.has(folder)),
        'and none is a folder as well',
      )
    }),
  )
})

test('what only a node answers has no file', (t) => {
  for (const address of [
    '/publish',
    '/publish/article',
    '/search?q=x',
    '/sign-in',
    '/office',
    `/comments/${ITEM}`,
    `/report/${ITEM}`,
    `/articles/${ITEM}/edit/secret`,
    `/articles/${ITEM}/history`,
    '/gateway/',
    '/api/v1/items',
    '/opensearch.xml',
    '/nothing/of/this',
    '/articles/%zz',
    '/articles//x',
    '//elsewhere.example/x',
    '/calendar/2031/13',
    '/fr/newswire',
    '/livez',
  ])
    t.is(fileOf(address), undefined, address)
})

test('files have the names that readers and programs expect', (t) => {
  const expected = {
    '/': 'index.html',
    '/en/': 'index.html',
    '/de/': 'de/index.html',
    '/newswire': 'newswire/index.html',
    '/newswire/': 'newswire/index.html',
    '/newswire?utm=x': 'newswire/index.html',
    '/de/newswire/feed.atom': 'newswire/feed.atom',
    '/calendar.ics': 'calendar.ics',
    '/calendar/2031/05': 'calendar/2031/05/index.html',
    [`/articles/${ITEM}`]: `articles/${ITEM}/index.html`,
    [`/events/${ITEM}/calendar.ics`]: `events/${ITEM}/calendar.ics`,
    '/assets/site-0123456789ab.css': 'assets/site-0123456789ab.css',
    '/sitemap/2026-10.xml': 'sitemap/2026-10.xml',
  }
  for (const [address, file] of Object.entries(expected)) t.is(fileOf(address), file)
})
