import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { HyperactiveError } from '../../../src/errors.ts'
import { typeOf } from '../../../src/media/clean/type-of.ts'
import { testFolder } from '../../helpers/folder.ts'
import { halves, zip } from './fixtures.ts'

test('the type is told by content, whatever the name says', async (t) => {
  const file = join(await testFolder(t), 'holiday.mp3')
  await halves().png().toFile(`${file}.png`)
  const is = async (bytes: string | Buffer) => {
    await writeFile(file, bytes)
    return typeOf(file)
  }
  t.is(await is(await halves().jpeg().toBuffer()), 'image/jpeg')
  t.is(await is(await halves().avif().toBuffer()), 'image/avif')
  t.is(await is('Good morning.\n'), 'text/plain')
  t.is(await is('BMW sells cars, and not all of them in the same place.\n'), 'text/plain')
  t.is(await is('\uFEFFname;town\nA;B\n"C;D";E\n'), 'text/csv')
  t.is(await is(Buffer.from('\uFEFFwide', 'utf16le')), 'text/plain')
  t.is(await is('WEBVTT\n\n00:00.000 --> 00:01.000\nHello\n'), 'text/vtt')
  t.is(await is('<svg xmlns="http://www.w3.org/2000/svg"/>'), 'image/svg+xml')
  t.is(
    await is('<?xml version="1.0"?><!-- a --><svg:svg xmlns:svg="http://www.w3.org/2000/svg"/>'),
    'image/svg+xml',
  )
  t.is(
    await is(zip({ mimetype: 'application/vnd.oasis.opendocument.text' })),
    'application/vnd.oasis.opendocument.text',
  )
})

test('what is not accepted is refused with the name of what was found', async (t) => {
  const file = join(await testFolder(t), 'photo.jpg')
  const refusal = async (bytes: string | Buffer) => {
    await writeFile(file, bytes)
    const error = await t.throwsAsync(typeOf(file), {
      instanceOf: HyperactiveError,
      code: 'media_type_refused',
    })
    t.is(error.status, 415)
    return error.message
  }
  t.regex(await refusal('<!DOCTYPE html><script>1</script>'), /text\/html/)
  t.regex(await refusal('<?xml version="1.0"?><a/>'), /application\/xml/)
  t.regex(await refusal('{\\rtf1\\ansi{\\info{\\author X}}}'), /application\/rtf; save it as ODT/)
  t.regex(await refusal(zip({ 'a.txt': 'a' })), /application\/zip/)
  t.regex(await refusal(Buffer.from('\x7FELF\x02\x01\x01', 'latin1')), /by its content this is application/)
  t.regex(await refusal('#EXTM3U\n#EXTINF:1,\nhttp://example.org/a.ts\n'), /mpegurl/)
  t.regex(await refusal('#EXTM3U\n#EXT-X-TARGETDURATION:1\nfile:///etc/passwd\n'), /mpegurl/)
  t.regex(await refusal("ffconcat version 1.0\nfile '/etc/passwd'\n\0"), /nothing that is known/)
  const heic = Buffer.from('\0\0\0\x18ftypheic\0\0\0\0mif1heic', 'latin1')
  t.regex(await refusal(heic), /image\/heic; save it as JPEG/)
})

test('an empty file is refused', async (t) => {
  const file = join(await testFolder(t), 'photo.jpg')
  await writeFile(file, '')
  await t.throwsAsync(typeOf(file), { instanceOf: HyperactiveError, code: 'media_unreadable' })
})
