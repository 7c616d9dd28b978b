import test from 'ava'
import type { ExecutionContext } from 'ava'
import * as fc from 'fast-check'
import { plainLine } from '../../src/syndication/feed-text.ts'
import { readFeedApart } from '../../src/syndication/read-apart.ts'
import { FEED_LIMITS, readFeed } from '../../src/syndication/read-feed.ts'
import type { FeedSource } from '../../src/syndication/read-feed.ts'
import { rss } from '../helpers/feed-server.ts'

const NOW_MS = Date.UTC(2026, 10, 23, 7)
const UNSEEN = /[\p{Cc}\u202a-\u202e\u2066-\u2069\u200e\u200f]/u

function source(text: string | Uint8Array, contentType = ''): FeedSource {
  const bytes = typeof text === 'string' ? Buffer.from(text) : text
  return { bytes, contentType, address: 'https://e.org/blog/feed', fetchedAtMs: NOW_MS }
}

function codeOf(t: ExecutionContext, read: () => unknown): string | undefined {
  return (t.throws(read) as (Error & { code?: string }) | undefined)?.code
}

function titleOf(bytes: Uint8Array, contentType?: string): string | undefined {
  return readFeed(source(bytes, contentType)).entries[0]?.title
}

test('RSS is read', (t) => {
  const text = rss(
    [
      {
        title: 'Nuts &amp; bolts',
        link: 'https://e.org/1',
        description: '&lt;p&gt;One&lt;/p&gt;&lt;p&gt;two&lt;/p&gt;',
        pubDate: 'Sun, 22 Nov 2026 10:00:00 +0100',
        guid: 'a',
      },
      { title: 'By its guid', guid: 'https://e.org/2' },
      { title: '', description: 'Only a text' },
      { title: '' },
    ],
    'A &lt;b&gt;feed&lt;/b&gt;',
  )
  const { title, entries } = readFeed(source(text))
  t.is(title, 'A feed')
  t.deepEqual(
    entries.map((entry) => ({ ...entry, id: '' })),
    [
      {
        id: '',
        title: 'Nuts & bolts',
        address: 'https://e.org/1',
        date: '2026-11-22T09:00:00.000Z',
        summary: 'One two',
      },
      { id: '', title: 'By its guid', address: 'https://e.org/2' },
      { id: '', title: 'Only a text', summary: 'Only a text' },
    ],
  )
  t.is(new Set(entries.map(({ id }) => id)).size, 3)
  for (const { id } of entries) t.regex(id, /^[0-9a-f]{32}$/)
  t.deepEqual(readFeed(source(text)).entries, entries, 'read again it is the same')
})

test('Atom is read', (t) => {
  const text = `<feed xmlns="http://www.w3.org/2005/Atom"><title type="html">A &amp;amp; B</title>
    <entry><id>urn:1</id><title>One</title><link rel="edit" href="/edit"/><link href="../one"/>
    <updated>2026-11-20T00:00:00Z</updated><content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">Some <b>bold</b> text</div></content></entry></feed>`
  const { title, entries } = readFeed(source(text))
  t.is(title, 'A & B')
  t.like(entries[0], {
    title: 'One',
    address: 'https://e.org/one',
    date: '2026-11-20T00:00:00.000Z',
    summary: 'Some bold text',
  })
})

test('RDF is read', (t) => {
  const text = `<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"
    xmlns:dc="http://purl.org/dc/elements/1.1/"><channel rdf:about="https://e.org/"><title>Old</title><link>https://e.org/</link></channel>
    <item rdf:about="https://e.org/1"><title>One</title><link>https://e.org/1</link><description>Text</description><dc:date>2026-11-20T10:00:00+01:00</dc:date></item></rdf:RDF>`
  const { title, entries } = readFeed(source(text))
  t.is(title, 'Old')
  t.like(entries[0], {
    title: 'One',
    address: 'https://e.org/1',
    date: '2026-11-20T09:00:00.000Z',
    summary: 'Text',
  })
})

test('JSON Feed is read, and values of other types do no harm', (t) => {
  const feed = {
    version: 'https://jsonfeed.org/version/1.1',
    title: 'A feed',
    items: [
      {
        id: '1',
        url: 'https://e.org/1',
        title: 'One',
        content_html: '<p>Text</p>',
        date_published: '2026-11-20',
      },
      { id: 2, url: 3, title: 4, summary: { a: 1 }, date_published: 5 },
      null,
      'text',
      [],
    ],
  }
  const { title, entries } = readFeed(source(JSON.stringify(feed)))
  t.is(title, 'A feed')
  const found = entries.find((entry) => entry.title === 'One')
  t.like(found, { address: 'https://e.org/1', summary: 'Text', date: '2026-11-20T00:00:00.000Z' })
  t.notThrows(() => readFeed(source(JSON.stringify({ ...feed, title: ['x'], items: { a: 1 } }))))
})

test('markup becomes text, and what is not seen or turns the text is taken out', (t) => {
  const hostile: [given: string, expected: string][] = [
    ['<script>alert(1)</script>Title', 'Title'],
    ['<img src=x onerror=alert(1)>Title', 'Title'],
    ['<a href="javascript:alert(1)">Title</a>', 'Title'],
    ['<style>*{display:none}</style>Title', 'Title'],
    ['Title<iframe src="https://e.org">', 'Title'],
    ['Title <!-- hidden -->', 'Title'],
    ['Title <b', 'Title'],
    ['1 &lt; 2 &amp;&amp; 3 &gt; 2', '1 < 2 && 3 > 2'],
    ['1 < 2', '1 < 2'],
    ['&#60;script&#62;', '<script>'],
    ['&amp;lt;b&amp;gt;', '&lt;b&gt;'],
    ['<p>One</p><p>two</p><br>three', 'One two three'],
    ['bo<b>l</b>d', 'bold'],
    ['a\u202eb\u2066c\u200fd\u0000e\u001bf\u0085g\u2028h\n\ti', 'abcdefg h i'],
    ['&#x202e;evil&#0;', 'evil\ufffd'],
    ['half \ud800 a pair', 'half \ufffd a pair'],
    [' \u200b\ufeff ', ''],
  ]
  for (const [given, expected] of hostile) t.is(plainLine(given, 200), expected, JSON.stringify(given))
})

test('a plain line is one line, within its bound, of characters that show', (t) => {
  const piece = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc.constantFrom(
      '<b>',
      '</p>',
      '<',
      '>',
      '&',
      '&lt;',
      '&#x202e;',
      '\u202e',
      '\ud83d',
      '<script>',
      '<![CDATA[',
    ),
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), fc.integer({ min: 5, max: 100 }), (pieces, letters) => {
      const line = plainLine(pieces.join(''), letters)
      if (Array.from(line).length > letters) throw new Error('too long')
      if (UNSEEN.test(line) || /[\r\n\u2028\u2029]/.test(line)) throw new Error('an unseen character')
      if (!line.isWellFormed() || line.trim() !== line) throw new Error('not well formed')
    }),
    { numRuns: 500 },
  )
  t.pass()
})

test('every field is bounded, and so is the number of entries', (t) => {
  const items = Array.from({ length: 120 }, (_, index) => ({
    title: `${index} ${'t'.repeat(5000)}`,
    link: index === 0 ? `https://e.org/${'a'.repeat(5000)}` : `https://e.org/${index}`,
    description: 'd'.repeat(50_000),
    guid: `${'g'.repeat(5000)}${index}`,
  }))
  const { title, entries } = readFeed(source(rss(items, 'f'.repeat(5000))))
  t.is(entries.length, 50)
  t.is(Array.from(title).length, FEED_LIMITS.title)
  t.is(entries[0]?.address, undefined, 'an address is not cut')
  for (const { title: name, summary = '' } of entries) {
    t.is(name.length, 200)
    t.is(summary.length, 500)
  }
})

test('the newest entries are kept when all have a date, each once', (t) => {
  const items = Array.from({ length: 60 }, (_, index) => ({
    title: `${index}`,
    guid: String(index % 59),
    pubDate: new Date(Date.UTC(2026, 8, 1 + index)).toUTCString(),
  }))
  const { entries } = readFeed(source(rss(items)))
  t.deepEqual(
    entries.map((entry) => entry.title),
    Array.from({ length: 50 }, (_, index) => String(59 - index)),
  )
  items[3] = { ...items[3]!, pubDate: 'yesterday' }
  t.is(readFeed(source(rss(items))).entries[0]?.title, '0', 'otherwise they stand as the feed has them')
})

test('a date in the future is the time of the fetch, and one that is none is left out', (t) => {
  const dates = [
    'Tue, 01 Jan 2199 00:00:00 GMT',
    'no date',
    '0001-01-01T00:00:00Z',
    '2026-02-30',
    '9'.repeat(1000),
  ]
  const items = dates.map((pubDate, index) => ({ title: `${index}`, pubDate }))
  const { entries } = readFeed(source(rss(items)))
  t.deepEqual(
    entries.map(({ date }) => date),
    [new Date(NOW_MS).toISOString(), undefined, undefined, undefined, undefined],
  )
})

test('only web addresses are kept', (t) => {
  const links = [
    'javascript:alert(1)',
    'data:text/html,x',
    'file:///etc/passwd',
    'https://u:p@e.org/',
    'http://',
    '/on',
  ]
  const items = links.map((link, index) => ({ title: `${index}`, link, guid: `tag:${index}` }))
  const { entries } = readFeed(source(rss(items)))
  t.deepEqual(
    entries.map(({ address }) => address),
    [undefined, undefined, undefined, undefined, undefined, 'https://e.org/on'],
  )
})

test('other encodings are read: by their mark, by the server, by the XML', (t) => {
  const text = rss([{ title: 'Über' }]).replace('?>', ' encoding="iso-8859-1"?>')
  const latin = Buffer.from(text, 'latin1')
  t.is(titleOf(latin), 'Über')
  t.is(titleOf(latin, 'text/xml; charset="ISO-8859-1"'), 'Über')
  t.is(titleOf(Buffer.from(text), 'text/xml; charset=utf-8'), 'Über')
  t.is(titleOf(Buffer.from(text), 'text/xml; charset=no-such-thing'), 'Über')
  t.is(titleOf(Buffer.from(`\ufeff${text}`)), 'Über')
  t.is(titleOf(Buffer.from(`\ufeff${text}`, 'utf16le')), 'Über')
  t.is(titleOf(Buffer.from(`\ufeff${text}`, 'utf16le').swap16()), 'Über')
})

test('what is no feed is malformed', (t) => {
  const others = [
    '',
    ' ',
    'text',
    '<html><title>x</title></html>',
    '{}',
    '[]',
    '{"version":"x"}',
    '<rss',
    '\u0000',
  ]
  for (const text of [
    ...others,
    '<rss version="2.0"><channel><item>'.padEnd(50, '<'),
    '<?xml version="1.0"?>',
  ])
    t.is(
      codeOf(t, () => readFeed(source(text))),
      'feed_malformed',
      JSON.stringify(text),
    )
})

test('whatever comes is a bounded feed or malformed', (t) => {
  const piece = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 20 }),
    fc.constantFrom(
      '<rss version="2.0">',
      '<channel>',
      '<item>',
      '<title>',
      '</title>',
      '</item>',
      '</channel>',
    ),
    fc.constantFrom(
      '</rss>',
      '<![CDATA[',
      ']]>',
      '<!--',
      '-->',
      '<?xml',
      '?>',
      '<!DOCTYPE x [',
      ']>',
      '&x;',
      '<a b="',
    ),
    fc.constantFrom(
      '<feed xmlns="http://www.w3.org/2005/Atom">',
      '<entry>',
      '<link href="',
      '"/>',
      '__proto__',
    ),
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), fc.boolean(), (pieces, begun) => {
      const text =
        (begun ? '<rss version="2.0"><channel><item><title>x</title></item>' : '') + pieces.join('')
      try {
        t.true(readFeed(source(text)).entries.length <= 50)
      } catch (error) {
        if ((error as { code?: string }).code !== 'feed_malformed') throw error
      }
    }),
    { numRuns: 500 },
  )
})

test('entities that are made of each other are not expanded', async (t) => {
  const entities = Array.from({ length: 30 }, (_, index) => {
    const inner = index === 0 ? 'lol' : `&lol${index - 1};`.repeat(10)
    return `<!ENTITY lol${index} "${inner}">`
  })
  const items = rss([{ title: 'Before' }, { title: '&lol29;', description: '&lol29;&#x41;' }])
  const text = items.replace('?>', `?><!DOCTYPE rss [${entities.join('')}]>`)
  const { entries } = await readFeedApart(source(text))
  t.is(entries[0]?.title, 'Before')
  t.true(JSON.stringify(entries).length < 1000)
  t.notRegex(JSON.stringify(entries), /lollol/)
  const outside = rss([{ title: '&file;' }])
  const dtd = outside.replace('?>', '?><!DOCTYPE rss [<!ENTITY file SYSTEM "file:///etc/passwd">]>')
  await t.throwsAsync(readFeedApart(source(dtd)), { code: 'feed_malformed' })
})

test('a feed is read in a thread like here', async (t) => {
  const given = source(rss([{ title: 'One' }]))
  t.deepEqual(await readFeedApart(given), readFeed(given))
  await t.throwsAsync(readFeedApart(source('no feed')), { code: 'feed_malformed' })
})

test('nesting without end is malformed', async (t) => {
  for (const open of ['<item>', '<a>', '<description>', '<a b="'])
    await t.throwsAsync(
      readFeedApart(source(`<rss version="2.0"><channel>${open.repeat(200_000)}`)),
      { code: 'feed_malformed' },
      open,
    )
  const json = `{"version":"https://jsonfeed.org/version/1.1","items":${'['.repeat(1_000_000)}`
  await t.throwsAsync(readFeedApart(source(json)), { code: 'feed_malformed' })
})

test('a feed that takes too long or too much memory is given up', async (t) => {
  const large = source(rss(Array.from({ length: 60_000 }, (_, index) => ({ title: `${index}` }))))
  await t.throwsAsync(readFeedApart(large, { timeoutMs: 1 }), { code: 'feed_too_complex' })
  await t.throwsAsync(readFeedApart(large, { memoryMb: 12 }), { code: 'feed_too_complex' })
  t.is((await readFeedApart(large)).entries.length, 50)
})

test('reading ends when the node stops', async (t) => {
  const stop = new AbortController()
  const reading = readFeedApart(source(rss([])), {}, stop.signal)
  stop.abort(new Error('stopping'))
  await t.throwsAsync(reading, { message: 'stopping' })
  await t.throwsAsync(readFeedApart(source(rss([])), {}, stop.signal), { message: 'stopping' })
})
