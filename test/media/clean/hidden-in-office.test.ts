import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { bench, NAME, zip } from './fixtures.ts'
import { contentTypes, OOXML, partsTellNothing, photo, R, relationships, W } from './office-fixtures.ts'

const MICROSOFT = 'http://schemas.microsoft.com/office/2020/02/relationships'
const PACKAGE = 'http://schemas.openxmlformats.org/package/2006/relationships/metadata'

test('parts of a Word document stay by what they are to it, not by what they are called', async (t) => {
  const { folder, clean } = await bench(t)
  const archive = zip({
    '[Content_Types].xml': contentTypes(
      ['word/document.xml', `${OOXML}.wordprocessingml.document.main`],
      ['a/b.xml', `${OOXML}.wordprocessingml.comments`],
    ),
    '_rels/.rels': relationships(
      ['rId1', 'officeDocument', 'word/document.xml'],
      ['rId2', `${MICROSOFT}/classificationlabels`, 'docMetadata/LabelInfo.xml'],
      ['rId3', `${PACKAGE}/core-properties`, 'c.xml'],
    ),
    'docMetadata/LabelInfo.xml': '<clbl:labelList><clbl:label siteId="PRIVATE"/></clbl:labelList>',
    'c.xml': `<coreProperties>${NAME}</coreProperties>`,
    'word/_rels/document.xml.rels': relationships(
      ['rId1', 'comments', '../a/b.xml'],
      ['rId2', `${MICROSOFT}/documenttasks`, 'documenttasks/documenttasks1.xml'],
      ['rId3', 'styles', 'styles.xml'],
      ['rId4', 'hyperlink', '../../Users/PRIVATE/notes.docx', true],
    ),
    'word/styles.xml': `<w:styles ${W}/>`,
    'word/documenttasks/documenttasks1.xml': '<t:Attribution userId="PRIVATE"/>',
    'a/b.xml': `<w:comments ${W}>${NAME}</w:comments>`,
    'word/left-behind.xml': '<x>PRIVATE</x>',
    'word/_rels/left-behind.xml.rels': relationships(['rId1', 'styles', 'styles.xml']),
    'word/document.xml': `<w:document ${W} ${R}><w:p><w:hyperlink r:id="rId4"/></w:p></w:document>`,
  })
  await writeFile(join(folder, 'a.docx'), archive)
  await using file = await clean('a.docx')
  const parts = await partsTellNothing(t, folder, file.path)
  t.deepEqual([...parts.keys()].sort(), [
    '[Content_Types].xml',
    '_rels/.rels',
    'word/_rels/document.xml.rels',
    'word/document.xml',
    'word/styles.xml',
  ])
  t.true(parts.get('word/_rels/document.xml.rels')?.includes('Target="notes.docx"'))
})

test('an office document that leads to nothing is refused', async (t) => {
  const { refused } = await bench(t)
  const archive = zip({
    '[Content_Types].xml': contentTypes(['word/document.xml', `${OOXML}.wordprocessingml.document.main`]),
    '_rels/.rels': relationships(['rId1', 'officeDocument', 'word/elsewhere.xml']),
    'word/document.xml': `<w:document ${W}/>`,
  })
  t.like(await refused(archive), { code: 'media_unreadable' })
})

const code = (text: string) => `<w:r><w:instrText xml:space="preserve">${text}</w:instrText></w:r>`

test('codes of fields lose folders, and changes their dates under any prefix', async (t) => {
  const { folder, clean } = await bench(t)
  const archive = zip({
    '[Content_Types].xml': contentTypes(['word/document.xml', `${OOXML}.wordprocessingml.document.main`]),
    '_rels/.rels': relationships(['rId1', 'officeDocument', 'word/document.xml']),
    'word/document.xml': [
      `<w:document ${W} ${W.replace('w=', 'n=')}>`,
      code(' INCLUDEPICTURE "C:\\\\Users\\\\PRIVATE x\\\\a b.png" \\* MERGEFORMAT '),
      code(' LINK Excel.Sheet &quot;\\\\\\\\PRIVATE\\\\share\\\\c.xlsx&quot; '),
      code(' INCLUDETEXT "/Users/PRIVATE/d.docx" '),
      code(' DATE \\@ "h:mm dd/MM" '),
      code(' HYPERLINK "https://example.org/home/e" '),
      '<w:fldSimple w:instr=" RD &quot;file:///C:/PRIVATE/f.docx&quot; "/>',
      '<w:t>C:\\Users\\everybody\\reads\\this</w:t><w:delText>PRIVATE</w:delText>',
      `<n:customXmlInsRangeStart n:author="${NAME}" n:date="PRIVATE"/><n:permStart n:ed="PRIVATE@example.org"/>`,
      '</w:document>',
    ].join(''),
  })
  await writeFile(join(folder, 'a.docx'), archive)
  await using file = await clean('a.docx')
  const text = (await partsTellNothing(t, folder, file.path)).get('word/document.xml')?.toString() ?? ''
  for (const kept of [
    ' INCLUDEPICTURE "a b.png" \\* MERGEFORMAT ',
    '&quot;c.xlsx&quot;',
    '"d.docx"',
    'DATE \\@ "h:mm dd/MM"',
    'HYPERLINK "https://example.org/home/e"',
    'RD &quot;f.docx&quot;',
    'C:\\Users\\everybody\\reads\\this',
  ])
    t.true(text.includes(kept), kept)
})

test('a workbook loses who worked on it where', async (t) => {
  const { folder, clean } = await bench(t)
  const archive = zip({
    '[Content_Types].xml': contentTypes(['xl/workbook.xml', `${OOXML}.spreadsheetml.sheet.main`]),
    '_rels/.rels': relationships(['rId1', 'officeDocument', 'xl/workbook.xml']),
    'xl/_rels/workbook.xml.rels': relationships(
      ['rId1', 'worksheet', 'worksheets/sheet1.xml'],
      ['rId2', 'pivotCacheDefinition', 'pivotCache/pivotCacheDefinition1.xml'],
      ['rId3', 'externalLink', 'externalLinks/externalLink1.xml'],
    ),
    'xl/externalLinks/externalLink1.xml': `<externalLink ${R}><externalBook r:id="rId1"><alternateUrls driveId="PRIVATE"/></externalBook></externalLink>`,
    'xl/externalLinks/_rels/externalLink1.xml.rels': relationships([
      'rId1',
      'externalLinkPath',
      'https://d.docs.live.net/PRIVATE/b.xlsx',
      true,
    ]),
    'xl/workbook.xml': `<workbook ${R}><xr:revisionPtr documentId="PRIVATE"/><customWorkbookViews><customWorkbookView name="${NAME} - Personal View"/></customWorkbookViews><sheets><sheet name="A" r:id="rId1"/></sheets></workbook>`,
    'xl/pivotCache/pivotCacheDefinition1.xml': `<pivotCacheDefinition refreshedBy="${NAME}" refreshedDate="45000.5" refreshOnLoad="1"/>`,
    'xl/worksheets/sheet1.xml': `<worksheet><scenarios><scenario name="best" user="${NAME}" comment="Created by ${NAME} on 11/23/2026"/></scenarios><protectedRanges><protectedRange name="r" securityDescriptor="O:PRIVATE"/></protectedRanges></worksheet>`,
  })
  await writeFile(join(folder, 'a.xlsx'), archive)
  await using file = await clean('a.xlsx')
  const parts = await partsTellNothing(t, folder, file.path)
  t.true(
    parts
      .get('xl/pivotCache/pivotCacheDefinition1.xml')
      ?.includes('<pivotCacheDefinition refreshOnLoad="1"/>'),
  )
  t.true(parts.get('xl/externalLinks/_rels/externalLink1.xml.rels')?.includes('Target="b.xlsx"'))
})

test('a presentation loses the list of who changed what', async (t) => {
  const { folder, clean } = await bench(t)
  const archive = zip({
    '[Content_Types].xml': contentTypes([
      'ppt/presentation.xml',
      `${OOXML}.presentationml.presentation.main`,
    ]),
    '_rels/.rels': relationships(['rId1', 'officeDocument', 'ppt/presentation.xml']),
    'ppt/_rels/presentation.xml.rels': relationships(
      ['rId1', `${MICROSOFT}/changesInfo`, 'changesInfos/changesInfo1.xml'],
      ['rId2', `${MICROSOFT}/revisionInfo`, 'revisionInfo.xml'],
    ),
    'ppt/presentation.xml': '<p:presentation/>',
    'ppt/changesInfos/changesInfo1.xml': `<pc:chgInfo><pc:chgData name="${NAME}" userId="PRIVATE"/></pc:chgInfo>`,
    'ppt/revisionInfo.xml': '<p1510:client id="PRIVATE"/>',
  })
  await writeFile(join(folder, 'a.pptx'), archive)
  await using file = await clean('a.pptx')
  const parts = await partsTellNothing(t, folder, file.path)
  t.deepEqual(
    [...parts.keys()].filter((name) => name.startsWith('ppt/')),
    ['ppt/_rels/presentation.xml.rels', 'ppt/presentation.xml'],
  )
})

test('an OpenDocument keeps no list of versions, unknown parts, revision ids, folders or uncleaned pictures', async (t) => {
  const { folder, clean } = await bench(t)
  const jpeg = (await photo(folder)).toString('base64')
  const archive = zip({
    mimetype: 'application/vnd.oasis.opendocument.text',
    'META-INF/manifest.xml': '<manifest:manifest/>',
    'VersionList.xml': `<VL:version-entry dc:creator="${NAME}"/>`,
    'other.xml': '<x>PRIVATE</x>',
    'content.xml': [
      '<office:document-content>',
      '<style:text-properties officeooo:rsid="PRIVATE" officeooo:paragraph-rsid="PRIVATE"/>',
      `<draw:image><office:binary-data>${jpeg}</office:binary-data></draw:image>`,
      '<text:section-source xlink:href="../../home/PRIVATE/x.odt"/><draw:object xlink:href="./Object 1"/>',
      `<table:table-cell table:formula="of:=['file:///home/PRIVATE/b.ods'#$A.B1]"/>`,
      '</office:document-content>',
    ].join(''),
    'Object 1/content.xml': '<office:document-content/>',
  })
  await writeFile(join(folder, 'a.odt'), archive)
  await using file = await clean('a.odt')
  const parts = await partsTellNothing(t, folder, file.path)
  t.deepEqual([...parts.keys()], ['mimetype', 'META-INF/manifest.xml', 'Object 1/content.xml', 'content.xml'])
  const text = parts.get('content.xml')?.toString() ?? ''
  t.false(text.includes(jpeg.slice(0, 100)))
  for (const kept of ['xlink:href="x.odt"', 'xlink:href="./Object 1"', `of:=['b.ods'#$A.B1]`])
    t.true(text.includes(kept), kept)
  t.false((await readFile(file.path)).includes('VersionList'))
})
