import test from 'ava'
import { parseFeed } from 'feedsmith'
import * as fc from 'fast-check'
import { fieldChanges } from '../../src/pages/changes.ts'
import { atomFeed, itemEntry, jsonFeed, rssFeed } from '../../src/pages/feeds.ts'
import { directionOf } from '../../src/i18n/direction.ts'
import { wordingOf } from '../../src/i18n/wording.ts'
import { article } from '../../src/kinds/article.ts'
import { renderMarkdown } from '../../src/pages/markdown.ts'
import type { SiteItem } from '../../src/project/site-item.ts'
import { checkInput } from '../../src/web/item-form.ts'
import { parseForm } from '../../src/web/form.ts'
import { Submissions } from '../../src/web/submissions.ts'
import { FormTokens } from '../../src/web/token.ts'
import { newKey } from '../helpers/keys.ts'

const HOSTILE = [
  '<script>alert(1)</script>',
  '<img src=x onerror=alert(1)>',
  '[x](javascript:alert(1))',
  '[x](JaVaScRiPt&colon;alert(1))',
  '[x](data:text/html;base64,PHNjcmlwdD4=)',
  '[x](vbscript:x)',
  '![x](javascript:alert(1))',
  '<a href="javascript:x">y</a>',
  '[a]: javascript:alert(1)\n\n[a]',
  '<svg/onload=alert(1)>',
  '[x](https://e.org "onmouseover=alert(1)")',
  '`<script>`',
  '<https://e.org/"onclick="alert(1)>',
  '[x](//evil.example/a)',
]

test('hostile Markdown gives no script, no handler and no other scheme', (t) => {
  for (const text of HOSTILE) {
    const html = renderMarkdown(text)
    const tags = html.match(/<[^>]*>/g) ?? []
    for (const tag of tags) {
      t.notRegex(tag, /^<(?:script|img|svg|iframe|style)/i, text)
      t.notRegex(tag.replaceAll(/"[^"]*"/g, '""'), /\son\w+=/i, text)
      t.notRegex(tag, /href="(?!https?:|mailto:)/i, text)
    }
  }
})

test('whatever is written, the outcome is made of allowed tags alone', (t) => {
  const piece = fc.constantFrom(
    '<script>',
    '<b onclick=x>',
    '[',
    '](',
    ')',
    '![',
    '`',
    '**',
    '_',
    '> ',
    '\n',
    '# ',
    '|',
    'javascript:',
    '&lt;',
    '<!--',
    ']]>',
    'word ',
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
      const html = renderMarkdown(pieces.join(''))
      for (const [, name = ''] of html.matchAll(/<\/?([a-z0-9]+)/gi)) {
        t.regex(
          name,
          /^(?:p|br|hr|h[2-6]|ul|ol|li|blockquote|pre|code|em|strong|s|a|table|thead|tbody|tr|th|td)$/,
        )
      }
      t.false(html.includes('<!--'))
    }),
  )
})

test('Markdown that would take long is shown as it is, within bounded time', (t) => {
  const begun = performance.now()
  for (const part of ['[', '*a ', '`', '> ', '<', '![', '[a](', '_a', '|', '~~a', 'http://a.b/']) {
    const html = renderMarkdown(part.repeat(Math.ceil(1_000_000 / part.length)))
    t.true(html.startsWith('<pre>'))
    renderMarkdown(part.repeat(Math.ceil(19_000 / part.length)))
  }
  // A safety net, far above what it takes.
  t.true(performance.now() - begun < 20_000)
})

test('headings stand below the page’s title, pictures become links', (t) => {
  t.is(renderMarkdown('# One'), '<h2>One</h2>\n')
  t.regex(
    renderMarkdown('![A map](https://e.org/map.png)'),
    /<a href="https:\/\/e\.org\/map\.png"[^>]*>A map<\/a>/,
  )
})

test('a form is decoded strictly', (t) => {
  t.is(parseForm('a=b+c%26&d=%D8%B3').get('d'), 'س')
  t.is(parseForm('a=b+c%26').get('a'), 'b c&')
  t.is(parseForm('a=1%0D%0A2%0D3').get('a'), '1\n2\n3')
  for (const body of ['a=%ff', 'a=%C3', 'a=%', 'a=%zz', 'a=\u00ff'])
    t.throws(() => parseForm(body), { code: 'form_not_utf8' }, body)
  t.is(parseForm('__proto__=x').get('__proto__'), 'x')
})

test('any form comes back as it was sent', (t) => {
  const text = fc.string({ unit: 'grapheme' }).map((value) => value.replaceAll(/\r\n?/g, '\n'))
  fc.assert(
    fc.property(fc.dictionary(fc.stringMatching(/^[a-z]{1,9}$/), text, { maxKeys: 9 }), (fields) => {
      t.deepEqual(Object.fromEntries(parseForm(new URLSearchParams(fields).toString())), fields)
    }),
  )
})

test('input becomes fields; what is wrong is told by field, and what the form does not show is kept', (t) => {
  const input = {
    title: ' A \n title ',
    author: ' ',
    summary: '',
    body: '\nText.\n',
    tags: 'Housing, ÉCOLE ,housing,, two  words',
    language: 'en',
  }
  const { fields, errors } = checkInput(input, article, {
    before: { author: 'Old name', importId: 'x', title: 'Old' },
    wording: wordingOf('en'),
  })
  t.deepEqual(errors, {})
  t.deepEqual(fields, {
    title: 'A title',
    body: 'Text.',
    tags: ['housing', 'two words', 'école'],
    language: 'en',
    importId: 'x',
  })
  const bad = checkInput(
    {
      title: '',
      author: 'x'.repeat(101),
      summary: 'x'.repeat(2001),
      body: ' ',
      tags: 'x'.repeat(51),
      language: 'English!',
    },
    article,
    { wording: wordingOf('en') },
  )
  t.deepEqual(Object.keys(bad.errors).sort(), ['author', 'body', 'language', 'summary', 'tags', 'title'])
  t.is(bad.errors.title, '“Title” is missing.')
})

test('a form’s token is good for its purpose, this node and a day', (t) => {
  const tokens = new FormTokens(newKey())
  const token = tokens.issue('/publish')
  t.true(tokens.isValid(token, '/publish'))
  t.false(tokens.isValid(token, '/articles/x'))
  t.false(tokens.isValid(`${token.slice(0, -1)}${token.endsWith('A') ? 'B' : 'A'}`, '/publish'))
  t.false(tokens.isValid('', '/publish'))
  t.false(tokens.isValid(tokens.issue('/publish', Date.now() - 25 * 3_600_000), '/publish'))
  t.false(new FormTokens(newKey()).isValid(token, '/publish'))
  t.deepEqual(tokens.authorSecret(token), tokens.authorSecret(token))
  t.notDeepEqual(tokens.authorSecret(token), tokens.authorSecret(tokens.issue('/publish')))
})

test('the work of a form is done once, and again after a failure', async (t) => {
  const submissions = new Submissions()
  let done = 0
  const work = async () => {
    done += 1
    if (done === 1) throw new Error('not now')
    return `/outcome/${done}`
  }
  await t.throwsAsync(submissions.once('a', work))
  t.deepEqual(await Promise.all([submissions.once('a', work), submissions.once('a', work)]), [
    '/outcome/2',
    '/outcome/2',
  ])
})

/** A text of many words that do not come in any order. */
function longText(word: string): string {
  return Array.from({ length: 60_000 }, (_, number) => `${word}${(number * 7919) % 997}`).join(' ')
}

test('differences show what was added and removed, and give up in time', (t) => {
  const [change] = fieldChanges(
    { body: 'one two three', title: 'same' },
    { body: 'one 2 three', title: 'same' },
  )
  t.is(change?.field, 'body')
  t.deepEqual(
    change?.pieces.filter(({ kind }) => kind !== 'same'),
    [
      { kind: 'removed', text: 'two' },
      { kind: 'added', text: '2' },
    ],
  )
  const begun = performance.now()
  const [hard] = fieldChanges({ body: longText('a') }, { body: longText('b') })
  t.true((hard?.pieces.length ?? 0) > 0)
  t.true(performance.now() - begun < 20_000)
})

test('dates are UTC, and scripts have their direction', (t) => {
  t.deepEqual(wordingOf('en').moment('2026-10-03T18:20:00.000Z-0000'), {
    iso: '2026-10-03T18:20:00.000Z',
    day: '3 October 2026',
    text: '3 October 2026 at 18:20 UTC',
  })
  for (const language of ['ar', 'fa-IR', 'he', 'ku-Arab', 'ur']) t.is(directionOf(language), 'rtl', language)
  for (const language of ['en', 'el', 'pt-BR', 'zh']) t.is(directionOf(language), 'ltr', language)
})

const ITEM = {
  _id: '01m83yydzved5b913tktd3xrqc',
  kind: 'article',
  at: '2026-10-03T18:20:00.000Z-0000',
  updatedAt: '2026-10-04T18:20:00.000Z-0000',
  fields: { title: 'A & <b>', body: 'Text ]]> **bold** <script>', summary: 'S', author: 'Ana', tags: ['a'] },
  standing: { hidden: false },
  listing: { title: 'A & <b>', summary: 'S', language: 'en', tags: ['a'] },
} as unknown as SiteItem

test('feeds are read back by a parser with the same texts', (t) => {
  const url = 'https://n.example'
  const entry = {
    ...itemEntry(ITEM, url, wordingOf('en')),
    enclosures: [{ address: `${url}/a.mp3`, type: 'audio/mpeg' }],
  }
  const feed = {
    title: 'N & N',
    description: 'D',
    language: 'en',
    url,
    self: `${url}/feed`,
    older: `${url}/feed?before=x`,
    entries: [entry],
  }
  const rss = parseFeed(rssFeed(feed))
  const inRss = rss.format === 'rss' ? rss.feed.items?.[0] : undefined
  t.like(inRss, { title: 'A & <b>', link: 'https://n.example/articles/01m83yydzved5b913tktd3xrqc' })
  t.true(inRss?.content?.encoded?.includes('<strong>bold</strong>'))
  t.true(inRss?.content?.encoded?.includes('&lt;script&gt;'))
  t.is(inRss?.enclosures?.[0]?.url, `${url}/a.mp3`)
  const atom = parseFeed(atomFeed(feed))
  const inAtom = atom.format === 'atom' ? atom.feed : undefined
  t.is(inAtom?.entries?.[0]?.title?.value, 'A & <b>')
  t.deepEqual(
    inAtom?.links?.map(({ href }) => href),
    [url, `${url}/feed.atom`, `${url}/feed.atom?before=x`],
  )
  const json = parseFeed(jsonFeed(feed))
  const inJson = json.format === 'json' ? json.feed : undefined
  t.is(inJson?.items?.[0]?.title, 'A & <b>')
  t.is(inJson?.items?.[0]?.attachments?.[0]?.mime_type, 'audio/mpeg')
  t.is(inJson?.next_url, `${url}/feed.json?before=x`)
  for (const make of [rssFeed, atomFeed, jsonFeed])
    t.notThrows(() => parseFeed(make({ ...feed, entries: [] })))
})
