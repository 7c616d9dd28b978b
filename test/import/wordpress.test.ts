import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import type { Piece, Read } from '../../src/import/piece.ts'
import { listSources, readSource } from '../../src/import/read-source.ts'
import { isWxr, readWxr } from '../../src/import/wxr.ts'
import { publish } from '../helpers/forms.ts'
import { testFolder } from '../helpers/folder.ts'
import { startNode } from '../helpers/node.ts'
import { until } from '../helpers/wait.ts'

const POST = `<item>
<title>Bread &amp; roses</title>
<link>https://old.example/2014/03/bread-and-roses/</link>
<pubDate>Sat, 01 Mar 2014 10:00:00 +0000</pubDate>
<dc:creator><![CDATA[ana]]></dc:creator>
<guid isPermaLink="false">https://old.example/?p=7</guid>
<content:encoded><![CDATA[First paragraph
of two lines.

<strong>Second</strong> one.<script>alert(1)</script>

<ul><li>a list</li></ul>]]></content:encoded>
<excerpt:encoded><![CDATA[A <em>summary</em>]]></excerpt:encoded>
<wp:post_id>7</wp:post_id>
<wp:post_date><![CDATA[2014-03-01 11:00:00]]></wp:post_date>
<wp:post_date_gmt><![CDATA[2014-03-01 10:00:00]]></wp:post_date_gmt>
<wp:comment_status>open</wp:comment_status>
<wp:status>publish</wp:status>
<wp:post_type>post</wp:post_type>
<wp:is_sticky>1</wp:is_sticky>
<category domain="category" nicename="uncategorized"><![CDATA[Uncategorized]]></category>
<category domain="category" nicename="work"><![CDATA[Work]]></category>
<category domain="post_tag" nicename="bread"><![CDATA[Bread]]></category>
<category domain="nav_menu" nicename="m"><![CDATA[Menu]]></category>
<wp:comment>
<wp:comment_id>3</wp:comment_id>
<wp:comment_author><![CDATA[Bo]]></wp:comment_author>
<wp:comment_author_email>bo@mail.example</wp:comment_author_email>
<wp:comment_author_IP>203.0.113.9</wp:comment_author_IP>
<wp:comment_date_gmt><![CDATA[2014-03-02 08:00:00]]></wp:comment_date_gmt>
<wp:comment_content><![CDATA[Well said.]]></wp:comment_content>
<wp:comment_approved>1</wp:comment_approved>
<wp:comment_parent>0</wp:comment_parent>
</wp:comment>
<wp:comment>
<wp:comment_id>4</wp:comment_id>
<wp:comment_date_gmt><![CDATA[2014-03-02 09:00:00]]></wp:comment_date_gmt>
<wp:comment_content><![CDATA[Thank you.]]></wp:comment_content>
<wp:comment_approved>1</wp:comment_approved>
<wp:comment_parent>3</wp:comment_parent>
</wp:comment>
<wp:comment>
<wp:comment_id>5</wp:comment_id>
<wp:comment_date_gmt><![CDATA[2014-03-02 09:00:00]]></wp:comment_date_gmt>
<wp:comment_content><![CDATA[Buy pills]]></wp:comment_content>
<wp:comment_approved>spam</wp:comment_approved>
</wp:comment>
</item>`

function wxr(...items: string[]): Uint8Array {
  const text = `<?xml version="1.0" encoding="UTF-8" ?>
<rss version="2.0" xmlns:excerpt="http://wordpress.org/export/1.2/excerpt/" xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:wp="http://wordpress.org/export/1.2/">
<channel><title>Old</title><language>es</language>
<wp:author><wp:author_login><![CDATA[ana]]></wp:author_login><wp:author_email>ana@mail.example</wp:author_email><wp:author_display_name><![CDATA[Ana Ruiz]]></wp:author_display_name></wp:author>
${items.join('\n')}</channel></rss>`
  return new TextEncoder().encode(text)
}

function item(fields: Record<string, string>): string {
  return `<item>${Object.entries(fields)
    .map(([name, value]) => `<${name}>${value}</${name}>`)
    .join('')}</item>`
}

const pieces = (reads: Read[]): Piece[] => reads.flatMap((read) => ('piece' in read ? [read.piece] : []))
const reasons = (reads: Read[]): string[] =>
  reads.flatMap((read) => ('skipped' in read ? [read.skipped.reason] : []))

test('a post of WordPress is read with tags, author, summary, old address and approved comments', (t) => {
  const bytes = wxr(POST)
  t.true(isWxr(bytes))
  const [piece] = pieces(readWxr('old.xml', bytes))
  t.like(piece, {
    kind: 'article',
    title: 'Bread & roses',
    author: 'Ana Ruiz',
    summary: 'A summary',
    tags: ['Work', 'Bread'],
    language: 'es',
    aliases: ['/2014/03/bread-and-roses/'],
    dateMs: Date.UTC(2014, 2, 1, 10),
    decided: ['stick'],
  })
  t.regex(piece?.body ?? '', /^First paragraph {2}\nof two lines\.\n\n\*\*Second\*\* one\.\n\n- +a list$/)
  t.deepEqual(
    piece?.comments?.map(({ name, inReplyTo, author, body }) => [name, inReplyTo, author, body]),
    [
      ['3', undefined, 'Bo', 'Well said.'],
      ['4', '3', undefined, 'Thank you.'],
    ],
  )
  t.false(JSON.stringify(piece).includes('mail.example'))
  t.false(JSON.stringify(piece).includes('203.0.113.9'))
})

test('what has parts missing, or is not public, says why, and never stops the rest', (t) => {
  const whole = {
    'wp:post_type': 'post',
    'wp:status': 'publish',
    'content:encoded': 'Text',
    'wp:post_date_gmt': '2014-03-01 10:00:00',
  }
  const reads = readWxr(
    'old.xml',
    wxr(
      item({ ...whole, 'wp:status': 'draft' }),
      item({ ...whole, 'wp:post_type': 'attachment' }),
      item({ ...whole, 'wp:post_type': 'nav_menu_item' }),
      item({ ...whole, 'wp:post_password': 'secret' }),
      item({ ...whole, 'content:encoded': '' }),
      item({ ...whole, 'wp:post_date_gmt': '0000-00-00 00:00:00' }),
      item({ title: 'Nothing else' }),
      '<item/>',
      item({ ...whole, title: '' }),
      item({ ...whole, 'wp:post_type': 'page', title: 'About us', 'wp:post_id': '12' }),
    ),
  )
  t.deepEqual(reasons(reads), [
    'is not public (draft)',
    'is a media file',
    'is of the type "nav_menu_item"',
    'has a password',
    'has no text',
    'has no date',
    'is of the type ""',
    'is of the type ""',
  ])
  t.deepEqual(
    pieces(reads).map(({ title, kind }) => [title, kind]),
    [
      ['Text', 'article'],
      ['About us', 'page'],
    ],
  )
})

test('files that are no XML, or multiply entities, are refused in bounded time', (t) => {
  t.throws(() => readWxr('a.xml', new TextEncoder().encode('<rss><channel>')), { code: 'bad_feed' })
  t.throws(() => readWxr('a.xml', new TextEncoder().encode('<html></html>')), { code: 'bad_feed' })
  const lol = Array.from({ length: 9 }, (_, n) => `<!ENTITY l${n + 1} "${`&l${n};`.repeat(10)}">`).join('')
  const bomb = new TextDecoder()
    .decode(wxr(POST.replace('Bread &amp; roses', '&l9;')))
    .replace('<rss ', `<!DOCTYPE r [<!ENTITY l0 "ha">${lol}]><rss `)
  const before = Date.now()
  try {
    const [piece] = pieces(readWxr('a.xml', new TextEncoder().encode(bomb)))
    t.true((piece?.title.length ?? 0) < 10_000)
  } catch (error) {
    t.is((error as { code?: string }).code, 'bad_feed')
  }
  t.true(Date.now() - before < 5_000)
})

test('a site of WordPress becomes one of ours: articles, pages, comments, and its old addresses', async (t) => {
  const folder = await testFolder(t)
  const file = join(folder, 'old.xml')
  await writeFile(
    file,
    wxr(
      POST,
      item({
        title: 'About us',
        link: 'https://old.example/about/',
        'wp:post_type': 'page',
        'wp:status': 'publish',
        'content:encoded': 'Who we are.',
        'wp:post_date_gmt': '2013-01-01 10:00:00',
      }),
    ),
  )
  t.is((await listSources(file)).length, 1)
  t.is((await readSource(folder, file)).length, 2)
  const node = await startNode(t)
  await publish(node, { title: 'Ours' })
  const { code, out, err } = await node.run('import', file)
  t.is(code, 0, err)
  t.regex(out, /2 imported, 2 comments, 0 here already, 0 skipped/)
  await until('it is here', async () => (await node.html('/newswire')).includes('Bread &amp; roses'))
  const old = await node.page('/2014/03/bread-and-roses/')
  t.is(old.status, 301)
  const html = await node.html(old.headers.get('location') ?? '')
  t.regex(html, /Well said\.[^]*Thank you\./)
  t.regex(html, /2 comments/)
  t.regex(await node.html((await node.page('/about/')).headers.get('location') ?? ''), /Who we are/)
  t.regex((await node.run('import', file)).out, /0 imported, 0 comments, 2 here already/)
})
