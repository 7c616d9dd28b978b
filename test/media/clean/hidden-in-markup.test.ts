import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { bench, tellsNothing } from './fixtures.ts'

test('an SVG loses what is in elements that do not draw, and text that is not drawn', async (t) => {
  const { folder, clean } = await bench(t)
  const drawing = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9">PRIVATE<![CDATA[PRIVATE]]>
<switch><foreignObject requiredExtensions="x"><i:pgfRef>PRIVATE</i:pgfRef></foreignObject><g>PRIVATE<path d="M0 0"/></g></switch>
<i:pgf id="adobe_illustrator_pgf">PRIVATE</i:pgf><rdf:RDF><dc:title>PRIVATE</dc:title></rdf:RDF>
<a href="https://example.org/PRIVATE"><text>read <tspan>this</tspan><a href="javascript:PRIVATE" target="PRIVATE"> and that</a></text><rect width="1" height="1"/></a></svg>`
  await writeFile(join(folder, 'a.svg'), drawing)
  await using file = await clean('a.svg')
  await tellsNothing(t, file.path)
  const made = await readFile(file.path, 'utf8')
  for (const kept of [
    '<text>read <tspan>this</tspan><a> and that</a></text>',
    '<path d="M0 0">',
    '<rect width="1" height="1">',
  ])
    t.true(made.includes(kept), kept)
})

test('captions lose comments in styles, blocks that nobody sees, and headers before the first cue', async (t) => {
  const { folder, clean } = await bench(t)
  const captions = [
    'WEBVTT PRIVATE\nX-PLACE: PRIVATE\n00:00.000 --> 00:01.000\nFirst',
    'STYLE\n/* by\nPRIVATE */::cue { color: red }',
    'REGION\nid:a',
    'PRIVATE and nothing else\nPRIVATE',
    'NOTE PRIVATE\n00:01.000 --> 00:02.000\nSecond',
    '3\n00:02.000 --> 00:03.000\nThird',
    'STYLE\n/* PRIVATE',
  ].join('\n\n')
  await writeFile(join(folder, 'a.vtt'), captions)
  await using file = await clean('a.vtt')
  t.is(
    await readFile(file.path, 'utf8'),
    [
      'WEBVTT',
      '00:00.000 --> 00:01.000\nFirst',
      'STYLE\n::cue { color: red }',
      'REGION\nid:a',
      '00:01.000 --> 00:02.000\nSecond',
      '3\n00:02.000 --> 00:03.000\nThird',
      'STYLE\n',
    ].join('\n\n') + '\n',
  )
})
