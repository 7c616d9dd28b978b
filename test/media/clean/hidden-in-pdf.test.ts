import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { deflateSync } from 'node:zlib'
import test from 'ava'
import sharp from 'sharp'
import { bareIcc } from '../../../src/media/clean/icc-profile.ts'
import { bareJpeg, bareJpeg2000 } from '../../../src/media/clean/jpeg-segments.ts'
import { bench, halves, NAME, pdf, run, secretsIn, tell, tellsNothing } from './fixtures.ts'

/** A document of one page with this content, with more for its catalogue, page and resources, and more objects from 5 on. */
function onePage(
  more: { catalogue?: string; page?: string; resources?: string; content?: string; trailer?: string },
  ...objects: Parameters<typeof pdf>[0]
): Buffer {
  const { catalogue = '', page = '', resources = '', content = '', trailer = '' } = more
  return pdf(
    [
      `<< /Type /Catalog /Pages 2 0 R ${catalogue} >>`,
      '<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
      `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 200] /Contents 4 0 R /Resources << ${resources} >> ${page} >>`,
      ['<< >>', content],
      ...objects,
    ],
    trailer,
  )
}

/** A PDF that is cleaned, checked and unpacked. */
async function cleanedPdf(t: Parameters<typeof bench>[0], document: Buffer): Promise<Buffer> {
  const { folder, clean } = await bench(t)
  await writeFile(join(folder, 'a.pdf'), document)
  await using file = await clean('a.pdf')
  await tellsNothing(t, file.path)
  await run(folder, 'qpdf', '--check', file.path)
  await run(folder, 'qpdf', '--qdf', '--object-streams=disable', file.path, 'open.pdf')
  const bytes = await readFile(join(folder, 'open.pdf'))
  t.deepEqual(secretsIn(bytes), [])
  return bytes
}

test('keys that programs add to a document, its pages and its trailer are gone', async (t) => {
  const bytes = await cleanedPdf(
    t,
    onePage({
      catalogue: `/rgid (PB:PRIVATE) /DPartRoot << /DPM << /Author (${NAME}) >> >> /Lang (en) /OutputIntents [<< /S /GTS_PDFA1 /Info (PRIVATE) >>]`,
      page: '/Tracking (PRIVATE) /Rotate 90',
      resources: `/Properties << /MC0 << /Author (${NAME}) >> >>`,
      trailer: '/DocChecksum /PRIVATE /Other (PRIVATE)',
    }),
  )
  t.true(bytes.includes('/Rotate 90') && bytes.includes('/Lang (en)'))
})

test('what pdfTeX tells of included pictures is gone, and small numbers stay numbers', async (t) => {
  const form =
    '/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Matrix [0.00000012 0 0 1.5 0 0] /PTEX.FileName (./PRIVATE/a.pdf) /PTEX.InfoDict 6 0 R'
  const bytes = await cleanedPdf(
    t,
    onePage(
      { resources: '/XObject << /A 5 0 R >>', content: '/A Do' },
      [`<< ${form} >>`, '0 0 5 5 re f'],
      `<< /Author (${NAME}) /Creator (PRIVATE) /CreationDate (D:20261123) >>`,
    ),
  )
  t.regex(bytes.toString('latin1'), /\/Matrix \[\s+0\s+0\s+0\s+1\.5\s+0\s+0\s+\]/)
})

test('links and descriptions lose the folders of a computer, and signed fields their signature', async (t) => {
  const link = '/Type /Annot /Subtype /Link /Rect [0 0 9 9]'
  const field = '/Type /Annot /Subtype /Widget /FT /Sig /T (Field) /Rect [0 0 9 9]'
  const bytes = await cleanedPdf(
    t,
    onePage(
      {
        catalogue:
          '/StructTreeRoot << /Type /StructTreeRoot /K << /S /Figure /Alt (C:\\\\Users\\\\PRIVATE\\\\a.png) >> >>',
        page: '/Annots [5 0 R 6 0 R 7 0 R 8 0 R 9 0 R]',
      },
      `<< ${link} /A << /S /URI /URI (file:///C:/Users/PRIVATE/b.docx) >> >>`,
      `<< ${link} /A << /S /GoToR /F (/home/PRIVATE/c.pdf) /D [0 /Fit] >> >>`,
      `<< ${link} /A << /S /URI /URI (https://example.org/home/d) >> >>`,
      `<< ${link} /A << /S 10 0 R /F (PRIVATE.exe) >> >>`,
      `<< ${field} /V << /Filter /Adobe.PPKLite /Name (${NAME}) /Reason (PRIVATE) >> >>`,
      '/Launch',
    ),
  )
  for (const kept of ['(a.png)', '(b.docx)', '(c.pdf)', '(https://example.org/home/d)', '(Field)'])
    t.true(bytes.includes(kept), kept)
})

test('a document that does not say what its catalogue is opens with nothing', async (t) => {
  const bytes = await cleanedPdf(
    t,
    pdf([
      '<< /Pages 2 0 R /OpenAction << /S /Launch /F (PRIVATE) >> /Own (PRIVATE) >>',
      '<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
      '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] >>',
    ]),
  )
  t.false(bytes.includes('/OpenAction'))
})

/** A profile of the display of one person, made of one that sharp has. */
async function profileOfPerson(): Promise<Buffer> {
  const picture = await halves().jpeg().withIccProfile('p3').toBuffer()
  const { icc } = await sharp(picture).metadata()
  if (!icc) throw new Error('sharp wrote no profile')
  const count = icc.readUInt32BE(128)
  const tag = Buffer.alloc(12)
  tag.write('mmod')
  tag.writeUInt32BE(icc.length + 12, 4)
  tag.writeUInt32BE(40, 8)
  const table = Buffer.from(icc.subarray(128, 132 + count * 12))
  table.writeUInt32BE(count + 1, 0)
  for (let at = 4; at < table.length; at += 12) table.writeUInt32BE(table.readUInt32BE(at + 4) + 12, at + 4)
  const whole = Buffer.concat([
    icc.subarray(0, 128),
    table,
    tag,
    icc.subarray(132 + count * 12),
    Buffer.alloc(40, 'PRIVATE'),
  ])
  whole.writeUInt32BE(whole.length, 0)
  return whole
}

for (const filter of ['', '/Filter /FlateDecode'])
  test(`a colour profile keeps colours, not whose display they are of ${filter}`, async (t) => {
    const profile = await profileOfPerson()
    t.true(profile.includes('PRIVATE'))
    const stream = filter === '' ? profile : deflateSync(profile)
    const bytes = await cleanedPdf(
      t,
      onePage(
        { resources: '/ColorSpace << /C [/ICCBased 5 0 R] >>', content: '/C cs 1 0 0 sc 0 0 9 9 re f' },
        [`<< /N 3 /Alternate /DeviceRGB ${filter} >>`, stream],
      ),
    )
    t.true(bytes.includes('acsp') && bytes.includes('rXYZ'))
  })

test('of a colour profile that cannot be read nothing stays', async (t) => {
  for (const [filter, stream] of [
    ['', 'PRIVATE'],
    ['/Filter /FlateDecode', 'PRIVATE'],
    ['/Filter /ASCIIHexDecode', `${Buffer.from('PRIVATE').toString('hex')}>`],
  ] as const)
    await cleanedPdf(
      t,
      onePage(
        { resources: '/ColorSpace << /C [/ICCBased 5 0 R] >>', content: '/C cs 1 0 0 sc 0 0 9 9 re f' },
        [`<< /N 3 /Alternate /DeviceRGB ${filter} >>`, stream],
      ),
    )
})

test('a bare profile gives the same colours', async (t) => {
  const profile = await profileOfPerson()
  const bare = bareIcc(profile)
  if (!bare) {
    t.fail()
    return
  }
  const folder = (await bench(t)).folder
  await writeFile(join(folder, 'whole.icc'), profile)
  await writeFile(join(folder, 'bare.icc'), bare)
  const seen = (name: string) =>
    halves()
      .jpeg({ quality: 100 })
      .withIccProfile(join(folder, name))
      .toBuffer()
      .then((picture) => sharp(picture).toColourspace('srgb').raw().toBuffer())
  t.deepEqual(await seen('bare.icc'), await seen('whole.icc'))
  t.is(await run(folder, 'exiftool', '-s3', '-ICC_Profile:DeviceSerialNumber', 'bare.icc'), '')
})

test('a damaged profile is no profile, and none of it is read beyond its end', (t) => {
  t.is(bareIcc(Buffer.alloc(10)), undefined)
  const profile = Buffer.alloc(200)
  profile.write('acsp', 36)
  profile.writeUInt32BE(0xffff_ffff, 128)
  t.is(bareIcc(profile), undefined)
  profile.writeUInt32BE(1, 128)
  profile.write('rXYZ', 132)
  profile.writeUInt32BE(190, 136)
  profile.writeUInt32BE(0xffff_fff0, 140)
  t.is(bareIcc(profile), undefined)
})

test('a picture is found also where its filter is named elsewhere', async (t) => {
  const { folder } = await bench(t)
  await halves().jpeg().toFile(join(folder, 'a.jpg'))
  await tell(folder, 'a.jpg')
  const image = '/Subtype /Image /Width 60 /Height 40 /ColorSpace /DeviceRGB /BitsPerComponent 8'
  const bytes = await cleanedPdf(
    t,
    onePage(
      { resources: '/XObject << /A 5 0 R >>', content: '/A Do' },
      [`<< /Type /XObject ${image} /Filter 6 0 R >>`, await readFile(join(folder, 'a.jpg'))],
      '[7 0 R]',
      '/DCTDecode',
    ),
  )
  t.true(bytes.includes(Buffer.from([0xff, 0xd8, 0xff])))
})

test('pictures in a PDF lose comments of their code stream and what follows a header', async (t) => {
  const { folder } = await bench(t)
  const source = ['-f', 'lavfi', '-i', 'testsrc2=size=64x48', '-frames:v', '1', '-c:v', 'jpeg2000']
  await run(folder, 'ffmpeg', '-v', 'error', ...source, '-format', 'jp2', '-f', 'image2', 'a.jp2')
  const whole = await readFile(join(folder, 'a.jp2'))
  const start = whole.indexOf(Buffer.from([0xff, 0x4f, 0xff, 0x51]))
  const after = start + 4 + whole.readUInt16BE(start + 4)
  const comment = Buffer.from('\xFF\x64\0\x0B\0\x01PRIVATE', 'latin1')
  const told = Buffer.concat([whole.subarray(0, after), comment, whole.subarray(after)])
  const box = whole.indexOf('jp2c') - 4
  told.writeUInt32BE(told.length - box, box)
  const notes = Buffer.concat([Buffer.from([0, 0, 0, 15]), Buffer.from('jumbPRIVATE')])
  const bare = bareJpeg2000(Buffer.concat([told, notes]))
  t.deepEqual(secretsIn(bare ?? Buffer.from(NAME)), [])
  const stream = bareJpeg2000(told.subarray(told.indexOf('jp2c') + 4))
  t.deepEqual(secretsIn(stream ?? Buffer.from(NAME)), [])
  await writeFile(join(folder, 'bare.jp2'), bare ?? '')
  const pixels = (name: string) => run(folder, 'ffmpeg', '-v', 'error', '-i', name, '-f', 'framemd5', '-')
  t.is(await pixels('bare.jp2'), await pixels('a.jp2'))

  const jpeg = await halves().jpeg().toBuffer()
  const adobe = Buffer.from('\xFF\xEE\0\x15Adobe\0d\0\0\0\0\x01PRIVATE', 'latin1')
  const bareOne = bareJpeg(Buffer.concat([jpeg.subarray(0, 2), adobe, jpeg.subarray(2)]))
  t.deepEqual(secretsIn(bareOne ?? Buffer.from(NAME)), [])
  t.true(bareOne?.includes(Buffer.from('\xFF\xEE\0\x0EAdobe', 'latin1')))
})
