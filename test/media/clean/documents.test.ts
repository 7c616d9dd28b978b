import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { deflateSync } from 'node:zlib'
import test from 'ava'
import { typeOf } from '../../../src/media/clean/type-of.ts'
import { bench, NAME, pdf, run, secretsIn, tellsNothing, zip } from './fixtures.ts'
import { contentTypes, OOXML, partsTellNothing, photo, R, relationships, W, XML } from './office-fixtures.ts'

const CORE = `${XML}<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties" xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:creator>${NAME}</dc:creator></cp:coreProperties>`

const entry = (path: string) =>
  `<manifest:file-entry manifest:full-path="${path}" manifest:media-type="text/xml"/>`

async function document(folder: string, more: Record<string, string> = {}): Promise<Buffer> {
  return zip({
    '[Content_Types].xml': contentTypes(
      ['word/document.xml', `${OOXML}.wordprocessingml.document.main`],
      ['word/comments.xml', `${OOXML}.wordprocessingml.comments`],
      ['docProps/core.xml', 'vnd.openxmlformats-package.core-properties'],
    ),
    '_rels/.rels': relationships(
      ['rId1', 'officeDocument', 'word/document.xml'],
      ['rId2', 'metadata/core-properties', 'docProps/core.xml'],
      ['rId3', 'metadata/thumbnail', 'docProps/thumbnail.jpeg'],
    ),
    'docProps/core.xml': CORE,
    'docProps/thumbnail.jpeg': await photo(folder),
    'customXml/item1.xml': `<x>${NAME}</x>`,
    'word/_rels/document.xml.rels': relationships(
      ['rId1', 'image', 'media/image1.jpeg'],
      ['rId2', 'comments', 'comments.xml'],
      ['rId3', 'hyperlink', 'https://example.org/', true],
      ['rId4', 'image', 'https://example.org/PRIVATE.png', true],
      ['rId5', 'oleObject', 'embeddings/oleObject1.bin'],
      ['rId6', 'attachedTemplate', 'file:///C:\\Users\\PRIVATE\\a.dotm', true],
      ['rId7', 'hyperlink', 'file:///C:\\Users\\PRIVATE\\notes.txt', true],
      ['rId8', 'settings', 'settings.xml'],
    ),
    'word/media/image1.jpeg': await photo(folder),
    'word/embeddings/oleObject1.bin': 'PRIVATE',
    'word/vbaProject.bin': 'PRIVATE',
    'word/comments.xml': `<w:comments ${W}><w:comment w:id="0" w:author="${NAME}"/></w:comments>`,
    'word/people.xml': `<x>${NAME}</x>`,
    'word/settings.xml': `<w:settings ${W} ${R}><w:attachedTemplate r:id="rId1"/><w:rsids><w:rsid w:val="00PRIVATE"/></w:rsids><w:zoom w:percent="100"/></w:settings>`,
    'word/document.xml': `${XML}<!-- PRIVATE --><?PRIVATE x?><w:document ${W} ${R}><w:body><w:p w:rsidR="00PRIVATE" w:keep="&lt;1&gt;"><w:commentRangeStart w:id="0"/><w:r><w:t xml:space="preserve">Hello &amp; </w:t></w:r><w:ins w:id="1" w:author="${NAME}" w:date="2026-11-23T07:00:00Z"><w:r><w:t>world</w:t></w:r></w:ins><w:del w:id="2" w:author="${NAME}"><w:r><w:delText>PRIVATE</w:delText></w:r></w:del><w:r><w:commentReference w:id="0"/></w:r><w:hyperlink r:id="rId3"><w:r><w:t>!</w:t></w:r></w:hyperlink><w:drawing><a:blip r:embed="rId1"/><a:blip r:link="rId4"/><a:moveTo><a:pt x="1"/></a:moveTo></w:drawing><w:object><o:OLEObject r:id="rId5"/></w:object></w:p></w:body></w:document>`,
    ...more,
  })
}

test('a Word document loses who, when and where, and keeps what it says', async (t) => {
  const { folder, clean } = await bench(t)
  await writeFile(join(folder, 'a.docx'), await document(folder))
  await using file = await clean('a.docx')
  t.is(file.extension, 'docx')
  const parts = await partsTellNothing(t, folder, file.path)
  t.deepEqual([...parts.keys()].sort(), [
    '[Content_Types].xml',
    '_rels/.rels',
    'word/_rels/document.xml.rels',
    'word/document.xml',
    'word/media/image1.jpeg',
    'word/settings.xml',
  ])
  const text = parts.get('word/document.xml')?.toString() ?? ''
  const body = text.slice(text.indexOf('<w:body>'))
  t.is(
    body,
    '<w:body><w:p w:keep="&lt;1>"><w:r><w:t xml:space="preserve">Hello &amp; </w:t></w:r><w:r><w:t>world</w:t></w:r><w:r></w:r><w:hyperlink r:id="rId3"><w:r><w:t>!</w:t></w:r></w:hyperlink><w:drawing><a:blip r:embed="rId1"/><a:moveTo><a:pt x="1"/></a:moveTo></w:drawing><w:object></w:object></w:p></w:body></w:document>',
  )
  const links = parts.get('word/_rels/document.xml.rels')?.toString() ?? ''
  t.deepEqual(
    [...links.matchAll(/ Id="(\w+)"/g)].map(([, id]) => id),
    ['rId1', 'rId3', 'rId7', 'rId8'],
  )
  t.true(links.includes('Target="notes.txt"'))
  t.false(parts.get('[Content_Types].xml')?.includes('comments'))
  // The other tools agree that it is one.
  t.is(await typeOf(file.path), file.type)
  await run(
    folder,
    'python3',
    '-c',
    `import zipfile;assert zipfile.ZipFile('${file.path}').testzip() is None`,
  )
})

test('a workbook loses the path that it was saved under, and a presentation its comments', async (t) => {
  const { folder, clean } = await bench(t)
  const book = zip({
    '[Content_Types].xml': contentTypes(['xl/workbook.xml', `${OOXML}.spreadsheetml.sheet.main`]),
    '_rels/.rels': relationships(['rId1', 'officeDocument', 'xl/workbook.xml']),
    'xl/_rels/workbook.xml.rels': relationships(['rId1', 'worksheet', 'worksheets/sheet1.xml']),
    'xl/workbook.xml': `<workbook ${R}><x15ac:absPath url="C:\\Users\\PRIVATE\\"/><sheets><sheet name="A" r:id="rId1"/></sheets></workbook>`,
    'xl/worksheets/_rels/sheet1.xml.rels': relationships(
      ['rId1', 'printerSettings', '../printerSettings/printerSettings1.bin'],
      ['rId2', 'vmlDrawing', '../drawings/vmlDrawing1.vml'],
      ['rId3', 'comments', '/xl/comments1.xml'],
    ),
    'xl/worksheets/sheet1.xml': `<worksheet ${R}><sheetData><row r="1"><c r="A1"><v>42</v></c></row></sheetData><pageSetup paperSize="9" r:id="rId1"/><legacyDrawing r:id="rId2"/></worksheet>`,
    'xl/printerSettings/printerSettings1.bin': 'PRIVATE',
    'xl/drawings/vmlDrawing1.vml': `<xml>${NAME}</xml>`,
    'xl/comments1.xml': `<comments><authors><author>${NAME}</author></authors></comments>`,
  })
  await writeFile(join(folder, 'a.xlsx'), book)
  await using sheet = await clean('a.xlsx')
  t.is(sheet.extension, 'xlsx')
  const parts = await partsTellNothing(t, folder, sheet.path)
  const text = parts.get('xl/worksheets/sheet1.xml')?.toString() ?? ''
  t.true(
    text.includes('<v>42</v>') &&
      text.includes('<pageSetup paperSize="9"/>') &&
      !text.includes('legacyDrawing'),
  )
  t.true(parts.get('xl/workbook.xml')?.includes('<sheet name="A" r:id="rId1"/>'))
  const slides = zip({
    '[Content_Types].xml': contentTypes([
      'ppt/presentation.xml',
      `${OOXML}.presentationml.presentation.main`,
    ]),
    '_rels/.rels': relationships(['rId1', 'officeDocument', 'ppt/presentation.xml']),
    'ppt/presentation.xml': '<p:presentation/>',
    'ppt/_rels/presentation.xml.rels': relationships(['rId1', 'slide', 'slides/slide1.xml']),
    'ppt/slides/slide1.xml':
      '<p:sld><p:cNvPr id="1" name="a" descr="C:\\Users\\PRIVATE\\a.png"/><a:t>Hi</a:t></p:sld>',
    'ppt/comments/comment1.xml': `<x>${NAME}</x>`,
    'ppt/commentAuthors.xml': `<x>${NAME}</x>`,
  })
  await writeFile(join(folder, 'a.pptx'), slides)
  await using presentation = await clean('a.pptx')
  t.is(presentation.extension, 'pptx')
  const kept = await partsTellNothing(t, folder, presentation.path)
  t.true(kept.get('ppt/slides/slide1.xml')?.includes('descr="a.png"'))
})

test('an OpenDocument loses its properties, changes, comments and macros', async (t) => {
  const { folder, clean } = await bench(t)
  for (const kind of ['text', 'spreadsheet', 'presentation']) {
    const type = `application/vnd.oasis.opendocument.${kind}`
    const office = 'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"'
    const archive = zip({
      mimetype: type,
      'META-INF/manifest.xml': `<manifest:manifest>${['/', 'content.xml', 'meta.xml', 'Thumbnails/thumbnail.png'].map(entry).join('')}</manifest:manifest>`,
      'META-INF/documentsignatures.xml': `<x>${NAME}</x>`,
      'meta.xml': `<office:document-meta ${office}><dc:creator>${NAME}</dc:creator></office:document-meta>`,
      'settings.xml': `<x>${NAME}</x>`,
      'Thumbnails/thumbnail.png': 'PRIVATE',
      'Basic/Standard/Module1.xml': 'PRIVATE',
      'Object 1/meta.xml': `<x>${NAME}</x>`,
      'Pictures/a.jpg': await photo(folder),
      'content.xml': `<office:document-content ${office}><office:scripts><x>PRIVATE</x></office:scripts><text:tracked-changes><dc:creator>${NAME}</dc:creator></text:tracked-changes><text:p>Hello<office:annotation><dc:creator>${NAME}</dc:creator></office:annotation> world <draw:image xlink:href="Pictures/a.jpg"/><text:a xlink:href="file:///home/PRIVATE/b.odt">b</text:a></text:p></office:document-content>`,
    })
    await writeFile(join(folder, 'a'), archive)
    await using file = await clean('a')
    t.is(file.type, type)
    const parts = await partsTellNothing(t, folder, file.path)
    t.deepEqual([...parts.keys()], ['mimetype', 'META-INF/manifest.xml', 'Pictures/a.jpg', 'content.xml'])
    t.is(
      parts
        .get('META-INF/manifest.xml')
        ?.toString()
        .match(/full-path/g)?.length,
      2,
    )
    t.regex(
      parts.get('content.xml')?.toString() ?? '',
      /<text:p>Hello world <draw:image [^>]+><text:a xlink:href="b.odt">/,
    )
  }
})

test('zip bombs are refused before they are unpacked', async (t) => {
  const { folder, refused } = await bench(t)
  const bomb = await document(folder, { 'word/big.xml': 'a'.repeat(320 * 1024 * 1024) })
  t.true(bomb.length < 2 * 1024 * 1024)
  t.like(await refused(bomb), { code: 'media_too_large' })
  const many = Object.fromEntries(Array.from({ length: 6000 }, (_, index) => [`word/a${index}.xml`, '<a/>']))
  t.like(await refused(await document(folder, many)), { code: 'media_too_large' })
})

test('an archive that lies about what it unpacks to is refused', async (t) => {
  const { refused } = await bench(t)
  const parts = {
    '[Content_Types].xml': contentTypes(['word/document.xml', `${OOXML}.wordprocessingml.document.main`]),
    '_rels/.rels': relationships(['rId1', 'officeDocument', 'word/document.xml']),
    'word/document.xml': 'a'.repeat(50_000_000),
  }
  const lie = zip(parts)
  const at = lie.lastIndexOf('word/document.xml') - 46 + 24
  lie.writeUInt32LE(1000, at)
  t.like(await refused(lie), { code: 'media_unreadable' })
})

test('entities in the XML of a document are refused', async (t) => {
  const { folder, refused } = await bench(t)
  const laughs = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><w:document>&b;</w:document>'
  t.like(await refused(await document(folder, { 'word/document.xml': laughs })), { code: 'media_unreadable' })
})

async function portable(folder: string): Promise<Buffer> {
  const jpeg = await photo(folder)
  const image =
    '/Type /XObject /Subtype /Image /Width 60 /Height 40 /ColorSpace /DeviceRGB /BitsPerComponent 8'
  const note = `/Type /Annot /Rect [0 0 10 10] /M (D:20261123) /T (${NAME})`
  return pdf(
    [
      '<< /Type /Catalog /Pages 2 0 R /Metadata 6 0 R /OpenAction << /S /JavaScript /JS (app.alert\\("PRIVATE"\\)) >> /Names << /EmbeddedFiles << /Names [(a) 9 0 R] >> >> >>',
      '<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
      `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 200] /Contents 4 0 R /Resources << /XObject << /A 7 0 R /B 8 0 R >> /Font << /F 11 0 R >> >> /PieceInfo << /X (PRIVATE) >> /Annots [<< ${note} /Subtype /Text /Contents (A note) >> << ${note} /Subtype /FileAttachment /FS 9 0 R >> << /Type /Annot /Rect [0 0 9 9] /Subtype /Link /A << /S /URI /URI (https://example.org/) >> >> << /Type /Annot /Rect [0 0 9 9] /Subtype /Link /A 12 0 R >>] >>`,
      ['<< >>', 'BT /F 12 Tf 20 100 Td (Good morning) Tj ET q 60 0 0 40 0 0 cm /A Do Q'],
      `<< /Author (${NAME}) /Title (PRIVATE) /Producer (PRIVATE) >>`,
      ['<< /Type /Metadata /Subtype /XML >>', `<x:xmpmeta>${NAME}</x:xmpmeta>`],
      [`<< ${image} /Filter /DCTDecode /Metadata 6 0 R >>`, jpeg],
      [`<< ${image} /Filter [/FlateDecode /DCTDecode] >>`, deflateSync(jpeg)],
      '<< /Type /Filespec /F (PRIVATE.txt) /EF << /F 10 0 R >> >>',
      ['<< /Type /EmbeddedFile >>', 'PRIVATE'],
      '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>',
      '<< /S /Launch /F (PRIVATE.exe) >>',
    ],
    '/Info 5 0 R /ID [<50524956415445> <50524956415445>]',
  )
}

/** A PDF with its streams unpacked, and the pictures in it as files. */
async function opened(folder: string, path: string): Promise<Buffer> {
  await run(folder, 'qpdf', '--qdf', '--object-streams=disable', path, 'open.pdf')
  return readFile(join(folder, 'open.pdf'))
}

test('a PDF loses its properties, scripts, files and what its pictures tell', async (t) => {
  const { folder, clean } = await bench(t)
  await writeFile(join(folder, 'a.pdf'), await portable(folder))
  await run(
    folder,
    'exiftool',
    '-q',
    '-overwrite_original',
    `-XMP-dc:Creator=${NAME}`,
    `-Author=${NAME}`,
    'a.pdf',
  )
  await using file = await clean('a.pdf')
  await tellsNothing(t, file.path)
  const bytes = await opened(folder, file.path)
  t.deepEqual(secretsIn(bytes), [])
  for (const gone of [
    'Exif',
    'xmpmeta',
    '/JavaScript',
    '/Launch',
    '/EmbeddedFile',
    '/PieceInfo',
    '50524956415445',
  ])
    t.false(bytes.includes(gone), gone)
  for (const kept of ['Good morning', 'A note', 'https://example.org/', '/Helvetica'])
    t.true(bytes.includes(kept), kept)
  // Both pictures are still there, and begin and end as pictures do.
  t.is(bytes.toString('latin1').split('\xFF\xD8\xFF').length, 3)
  await run(folder, 'qpdf', '--check', file.path)
})

test('a PDF that exiftool cleaned still holds the names; one that was cleaned here does not', async (t) => {
  const { folder, clean } = await bench(t)
  await writeFile(
    join(folder, 'a.pdf'),
    pdf(
      [
        '<< /Type /Catalog /Pages 2 0 R >>',
        '<< /Type /Pages /Kids [] /Count 0 >>',
        `<< /Author (${NAME}) >>`,
      ],
      '/Info 3 0 R',
    ),
  )
  await run(folder, 'exiftool', '-q', '-overwrite_original', '-all=', 'a.pdf')
  t.true((await readFile(join(folder, 'a.pdf'))).includes(NAME))
  await using file = await clean('a.pdf')
  t.deepEqual(secretsIn(await opened(folder, file.path)), [])
})

test('a PDF is opened where anybody could open it, and else refused', async (t) => {
  const { folder, clean, refused } = await bench(t)
  await writeFile(join(folder, 'a.pdf'), await portable(folder))
  await run(folder, 'qpdf', '--encrypt', '', 'owner', '256', '--', 'a.pdf', 'open.pdf')
  await run(folder, 'qpdf', '--encrypt', 'secret', 'owner', '256', '--', 'a.pdf', 'shut.pdf')
  t.like(await refused(await readFile(join(folder, 'shut.pdf'))), { code: 'media_unreadable' })
  await run(folder, 'cp', 'open.pdf', 'b.pdf')
  await using file = await clean('b.pdf')
  const bytes = await opened(folder, file.path)
  t.true(bytes.includes('Good morning'))
  t.deepEqual(secretsIn(bytes), [])
})

test('damaged PDFs and what hides behind whole ones', async (t) => {
  const { folder, clean, refused } = await bench(t)
  const whole = await portable(folder)
  t.like(await refused(whole.subarray(0, whole.length / 2)), { code: 'media_unreadable' })
  t.like(await refused('%PDF-1.7\nPRIVATE\n'), { code: 'media_unreadable' })
  await writeFile(join(folder, 'both.pdf'), Buffer.concat([whole, zip({ 'PRIVATE.js': 'PRIVATE' })]))
  await using file = await clean('both.pdf')
  const bytes = await readFile(file.path)
  t.false(bytes.includes('PK\u0003\u0004'))
})

test('text becomes UTF-8, and what is none is refused', async (t) => {
  const { folder, clean, refused } = await bench(t)
  const long = 'Grüße aus Köln\n'.repeat(20_000)
  await writeFile(join(folder, 'a.txt'), Buffer.from(`\uFEFF${long}`, 'utf16le'))
  await using file = await clean('a.txt')
  t.like(file, { type: 'text/plain', extension: 'txt' })
  t.is(await readFile(file.path, 'utf8'), long)
  t.like(await refused(`${long}\0\u0001`), { code: 'media_unreadable' })
  t.like(await refused(Buffer.concat([Buffer.from(long), Buffer.from([0xff, 0xfe])])), {
    code: 'media_unreadable',
  })
})

test('captions lose notes and headers', async (t) => {
  const { folder, clean } = await bench(t)
  const captions = `WEBVTT by ${NAME}\nX: PRIVATE\n\nNOTE PRIVATE\nmore\n\nSTYLE\n::cue { color: red }\n\n1\r\n00:00.000 --> 00:01.000\r\nHello\n\nNOTE\nPRIVATE\n`
  await writeFile(join(folder, 'a.vtt'), captions)
  await using file = await clean('a.vtt')
  t.is(file.type, 'text/vtt')
  t.is(
    await readFile(file.path, 'utf8'),
    'WEBVTT\n\nSTYLE\n::cue { color: red }\n\n1\n00:00.000 --> 00:01.000\nHello\n',
  )
})

test('an SVG keeps what draws, and loses what runs, calls or tells', async (t) => {
  const { folder, clean } = await bench(t)
  const photoUri = `data:image/jpeg;base64,${(await photo(folder)).toString('base64')}`
  const drawing = `<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY x "PRIVATE">]><!-- PRIVATE -->
<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" xmlns:inkscape="http://inkscape" viewBox="0 0 10 10" onload="PRIVATE" inkscape:export-filename="/home/PRIVATE/a.png">
<metadata><dc:creator>${NAME}</dc:creator></metadata><title>PRIVATE</title>
<script>alert("PRIVATE")</script><style>@import "http://PRIVATE"</style>
<defs><linearGradient id="g"><stop offset="0" stop-color="red"/></linearGradient></defs>
<rect width="5" height="5" fill="url(#g)" style="stroke:red;background:url(http://PRIVATE);fill-opacity:0.5" onclick="PRIVATE"/>
<image href="${photoUri}"/><use xlink:href="#g"/><use href="http://PRIVATE/a.svg#x"/>
<a href="javascript:PRIVATE"><text x="1" y="2">Hi &lt;&amp;&gt;</text></a>
<foreignObject><iframe src="http://PRIVATE"/></foreignObject><set attributeName="onload" to="PRIVATE"/>
<path d="M0 0L1 1" fill="url(http://PRIVATE)"/></svg>`
  await writeFile(join(folder, 'a.svg'), drawing)
  await using file = await clean('a.svg')
  t.like(file, { type: 'image/svg+xml', extension: 'svg' })
  await tellsNothing(t, file.path, ['script', 'onload', 'http://inkscape', 'data:', 'javascript', 'ENTITY'])
  const made = await readFile(file.path, 'utf8')
  for (const kept of [
    'linearGradient',
    'viewBox="0 0 10 10"',
    'fill="url(#g)"',
    'stroke:red;fill-opacity:0.5',
    'xlink:href="#g"',
    'Hi &lt;&amp;&gt;',
    'd="M0 0L1 1"',
  ])
    t.true(made.includes(kept), kept)
  await run(folder, 'python3', '-c', `import xml.etree.ElementTree as e;e.parse('${file.path}')`)
})
