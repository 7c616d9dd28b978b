import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { readFeed } from '../../src/import/feed.ts'
import { importedSecret, importPieces } from '../../src/import/importer.ts'
import { readMarkdown } from '../../src/import/markdown.ts'
import { parseDate } from '../../src/import/piece.ts'
import type { Piece, Read } from '../../src/import/piece.ts'
import { listSources, readSource } from '../../src/import/read-source.ts'
import type { Edit } from '../../src/ledger/document.ts'
import { belongsTo } from '../../src/ledger/item-id.ts'
import { keyFromSecret } from '../../src/ledger/keys.ts'
import { testFolder } from '../helpers/folder.ts'
import { startStore } from '../helpers/store.ts'

const markdown = (source: string, text: string) => readMarkdown(source, new TextEncoder().encode(text))
const pieceOf = (read: Read | undefined): Piece | undefined =>
  read && 'piece' in read ? read.piece : undefined
const reasonOf = (read: Read | undefined): string => (read && 'skipped' in read ? read.skipped.reason : '')

test('front matter as Jekyll and Hugo write it is read', (t) => {
  const jekyll = markdown(
    '_posts/2009-06-22-on-the-road.md',
    '---\nlayout: post\ntitle: "On the road"\ntags: one two\ncategories: [News]\nexcerpt: Short\n---\n\nThe text.\r\nMore.\n',
  )
  t.like(pieceOf(jekyll), {
    title: 'On the road',
    dateMs: Date.UTC(2009, 5, 22),
    tags: ['one', 'two', 'News'],
    summary: 'Short',
    body: 'The text.\nMore.',
  })
  const hugo = markdown(
    'content/post/uebung.de.md',
    '---\ntitle: Übung\ndate: 2020-02-03T04:05:06+02:00\nauthors:\n  - name: Ada\n  - Bert\ndescription: Kurz\ndraft: false\n---\nText',
  )
  t.like(pieceOf(hugo), {
    title: 'Übung',
    dateMs: Date.UTC(2020, 1, 3, 2, 5, 6),
    author: 'Ada, Bert',
    language: 'de',
  })
  t.is(pieceOf(markdown('2020-01-02-no-title-here.md', '---\nlang: fr\n---\nTexte'))?.title, 'No title here')
})

test('what cannot be imported says why', (t) => {
  t.is(reasonOf(markdown('a.md', '---\ntitle: x\ndraft: true\ndate: 2020-01-01\n---\ny')), 'is a draft')
  t.is(
    reasonOf(markdown('a.md', '---\ntitle: x\ndate: 2020-02-30\n---\ny')),
    'its date "2020-02-30" is not one',
  )
  t.regex(reasonOf(markdown('a.md', '---\ntitle: x\n---\ny')), /has no date/)
  t.is(reasonOf(markdown('a.md', 'just text')), 'has no front matter')
  t.is(reasonOf(markdown('a.md', '---\ntitle: x\ndate: 2020-01-01\n---\n')), 'has no text')
  t.regex(reasonOf(markdown('a.md', '---\ntitle: [unclosed\n---\ny')), /front matter/)
  t.regex(reasonOf(markdown('a.md', '+++\ntitle = "x"\n+++\ny')), /TOML/)
  t.is(reasonOf(readMarkdown('a.md', Uint8Array.of(0x2d, 0xff, 0xfe))), 'is not valid UTF-8')
  const bomb = `---\na: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c,*c]\n---\ny`
  t.regex(reasonOf(markdown('a.md', bomb)), /front matter/)
})

test('dates are read alike on every machine', (t) => {
  t.is(parseDate('2020-01-02'), Date.UTC(2020, 0, 2))
  t.is(parseDate('2020-01-02 03:04:05 +0200'), Date.UTC(2020, 0, 2, 1, 4, 5))
  t.is(parseDate('2020-01-02T03:04'), Date.UTC(2020, 0, 2, 3, 4))
  t.is(parseDate('Sat, 03 Oct 2026 18:20:00 GMT'), Date.UTC(2026, 9, 3, 18, 20))
  for (const bad of ['yesterday', '2020-13-01', '2021-02-29', '', 5, undefined])
    t.is(parseDate(bad), undefined, String(bad))
})

const RSS = `<?xml version="1.0"?><rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel><title>Old site</title><language>es</language>
<item><title>Uno &amp; dos</title><guid>https://old.example/1</guid><pubDate>Sat, 03 Oct 2009 18:20:00 GMT</pubDate><author>someone@old.example (Ana)</author><category>Barrio</category><content:encoded><![CDATA[<h2>Hola</h2><p>Un <b>texto</b>.</p><script>alert(1)</script>]]></content:encoded></item>
<item><title>No date</title><guid>2</guid><description>x</description></item>
<item><guid>3</guid><pubDate>Sat, 03 Oct 2009 18:20:00 GMT</pubDate><description>Only a text without a title</description></item>
</channel></rss>`

test('RSS and Atom are read, HTML becomes Markdown, addresses of people stay out', (t) => {
  const reads = readFeed('old.xml', new TextEncoder().encode(RSS))
  t.like(pieceOf(reads[0]), {
    source: 'https://old.example/1',
    title: 'Uno & dos',
    author: 'Ana',
    language: 'es',
    tags: ['Barrio'],
    body: '## Hola\n\nUn **texto**.',
  })
  t.is(reasonOf(reads[1]), 'has no date')
  t.is(pieceOf(reads[2])?.title, 'Only a text without a title')
  const atom =
    '<feed xmlns="http://www.w3.org/2005/Atom"><title>t</title><entry><id>urn:1</id><title>B</title><updated>2010-01-02T03:04:05Z</updated><content type="html">&lt;p&gt;x&lt;/p&gt;</content></entry></feed>'
  t.like(pieceOf(readFeed('a.atom', new TextEncoder().encode(atom))[0]), {
    title: 'B',
    body: 'x',
    dateMs: Date.UTC(2010, 0, 2, 3, 4, 5),
  })
  t.throws(() => readFeed('x.xml', new TextEncoder().encode('<html></html>')), { code: 'bad_feed' })
})

async function importFolder(folder: string, store: Awaited<ReturnType<typeof startStore>>) {
  async function* reads(): AsyncGenerator<Read> {
    for (const file of await listSources(folder)) yield* await readSource(folder, file)
  }
  return importPieces(reads(), { ledger: store.ledger, nodeKey: store.key, language: 'en' })
}

test('a folder is published under its original dates, once, and a bad file never stops the rest', async (t) => {
  const folder = join(await testFolder(t), 'site')
  await mkdir(join(folder, 'deep', '.hidden'), { recursive: true })
  await writeFile(join(folder, '2009-01-02-first.md'), '---\ntitle: First\ntags: [B, a, a]\n---\nOne')
  await writeFile(join(folder, 'deep', '2010-03-04-second.md'), '---\ntitle: Second\n---\nTwo')
  await writeFile(join(folder, 'deep', '.hidden', 'third.md'), '---\ntitle: T\ndate: 2010-01-01\n---\nx')
  await writeFile(join(folder, 'future.md'), '---\ntitle: Future\ndate: 2999-01-01\n---\nx')
  await writeFile(join(folder, 'long.md'), `---\ntitle: ${'x'.repeat(300)}\ndate: 2010-01-01\n---\nx`)
  await writeFile(join(folder, 'broken.xml'), '<rss><channel>')
  await writeFile(join(folder, 'picture.png'), 'x')
  const store = await startStore(t)
  const report = await importFolder(folder, store)
  t.deepEqual(report.imported.map(({ source }) => source).sort(), [
    '2009-01-02-first.md',
    'deep/2010-03-04-second.md',
  ])
  t.deepEqual(report.skipped.map(({ source }) => source).sort(), ['broken.xml', 'future.md', 'long.md'])
  const item = report.imported.find(({ source }) => source.includes('first'))?.item ?? ''
  const [edit] = (await store.ledger.ofItem(item, 'edit')) as Edit[]
  t.is(edit?.at, '2009-01-02T00:00:00.000Z-0000')
  t.deepEqual(edit?.fields.tags, ['a', 'b'])
  const secret = edit && importedSecret(store.key, edit)
  t.true(belongsTo(item, keyFromSecret(secret ?? '')?.publicKey ?? ''), 'the node can give out the edit link')

  const { doc_count } = await store.ledger.database.info()
  const again = await importFolder(folder, store)
  t.deepEqual(again.imported, [])
  t.is(again.known, 2)
  t.is((await store.ledger.database.info()).doc_count, doc_count)
})

test('a path that is not there or holds nothing readable is told', async (t) => {
  const folder = await testFolder(t)
  await t.throwsAsync(listSources(join(folder, 'nowhere')), { code: 'import_unreadable' })
  await writeFile(join(folder, 'a.txt'), 'x')
  await t.throwsAsync(listSources(join(folder, 'a.txt')), { code: 'import_unknown_type' })
})
