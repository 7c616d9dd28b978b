import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { emptyNotes, setupOf } from '../../../src/media/clean/codec-setup.ts'
import { testFolder } from '../../helpers/folder.ts'
import { bench, film, PICTURE_IN, run, secretsIn, SOUND_IN, tellsNothing } from './fixtures.ts'

const riff = (name: string, data: Buffer) => {
  const head = Buffer.alloc(8)
  head.write(name, 'latin1')
  head.writeUInt32LE(data.length, 4)
  return Buffer.concat([head, data, Buffer.alloc(data.length % 2)])
}

/** A WAV with what stands behind the fixed fields of its format. */
function wav(format: number, extra: Buffer, data: Buffer): Buffer {
  const fixed = Buffer.alloc(18)
  fixed.writeUInt16LE(format, 0)
  fixed.writeUInt16LE(1, 2)
  fixed.writeUInt32LE(44_100, 4)
  fixed.writeUInt32LE(format === 1 ? 88_200 : 8000, 8)
  fixed.writeUInt16LE(format === 1 ? 2 : 1, 12)
  fixed.writeUInt16LE(format === 1 ? 16 : 0, 14)
  fixed.writeUInt16LE(extra.length, 16)
  const parts = [riff('fmt ', Buffer.concat([fixed, extra])), riff('bext', Buffer.from('PRIVATE'))]
  return riff('RIFF', Buffer.concat([Buffer.from('WAVE'), ...parts, riff('data', data)]))
}

test('what stands in the header of a WAV beside the format is gone, and the sound is the same', async (t) => {
  const { folder, clean } = await bench(t)
  const sound = Buffer.from(Array.from({ length: 88_200 }, (_, index) => (index * 7919) % 251))
  await writeFile(join(folder, 'a.wav'), wav(1, Buffer.from('PRIVATE in the header'), sound))
  await using file = await clean('a.wav')
  t.is(file.type, 'audio/wav')
  await tellsNothing(t, file.path)
  t.true((await readFile(file.path)).includes(sound))
})

test('tags between the MP3 frames of a WAV are gone', async (t) => {
  const { folder, clean } = await bench(t)
  const tags = ['-metadata', 'artist=PRIVATE', '-write_id3v1', '1']
  const song = await readFile(await film(folder, 'a.mp3', ...SOUND_IN, '-c:a', 'libmp3lame', ...tags))
  t.true(song.includes('PRIVATE'))
  const extra = Buffer.from('010002000000a10101007105', 'hex')
  await writeFile(join(folder, 'b.wav'), wav(0x55, extra, song))
  await using file = await clean('b.wav')
  t.is(file.type, 'audio/mp4')
  await tellsNothing(t, file.path)
})

test('a recording of several Vorbis streams keeps all of the sound and none of the comments', async (t) => {
  const { folder, clean } = await bench(t)
  const songs = await Promise.all(
    ['a.ogg', 'b.ogg'].map(async (name) =>
      readFile(await film(folder, name, ...SOUND_IN, '-c:a', 'libvorbis', '-metadata', 'artist=PRIVATE')),
    ),
  )
  await writeFile(join(folder, 'radio.ogg'), Buffer.concat(songs))
  await using file = await clean('radio.ogg')
  t.like(file, { type: 'audio/ogg', extension: 'opus' })
  t.true(Math.abs((file.durationMs ?? 0) - 4000) < 200, String(file.durationMs))
  await tellsNothing(t, file.path)
})

for (const name of ['a.mp4', 'a.mkv'])
  test(`messages of an H.265 encoder are gone from the decoder's setup in ${name}, too`, async (t) => {
    const { folder, clean } = await bench(t)
    const codec = ['-c:v', 'libx265', '-pix_fmt', 'yuv420p', '-x265-params', 'log-level=error']
    const file = await film(folder, name, ...PICTURE_IN, ...codec)
    t.true((await readFile(file)).includes('x265 (build'))
    await using made = await clean(name)
    await tellsNothing(t, made.path, ['x265'])
    await run(folder, 'ffmpeg', '-v', 'error', '-xerror', '-i', made.path, '-f', 'null', '-')
  })

/** Puts a box behind others into the description of the picture of a film whose index stands at its end. */
function withBox(bytes: Buffer, inside: readonly string[], box: Buffer): Buffer {
  const kinds = ['moov', 'trak', 'mdia', 'minf', 'stbl', 'stsd', ...inside]
  const longer = Buffer.from(bytes)
  let at = 0
  let end = 0
  for (const kind of kinds) {
    at = longer.indexOf(kind, at, 'latin1') - 4
    const length = longer.readUInt32BE(at)
    end = at + length
    longer.writeUInt32BE(length + box.length, at)
    at += 8
  }
  return Buffer.concat([longer.subarray(0, end), box, longer.subarray(end)])
}

test('a colour profile in a film is gone', async (t) => {
  const { folder, clean } = await bench(t)
  const h264 = ['-c:v', 'libx264', '-pix_fmt', 'yuv420p']
  const whole = await readFile(await film(folder, 'a.mp4', ...PICTURE_IN, ...h264))
  const profile = Buffer.concat([Buffer.from('prof'), Buffer.alloc(200, 'PRIVATE')])
  const box = Buffer.concat([Buffer.from([0, 0, 0, profile.length + 8]), Buffer.from('colr'), profile])
  await writeFile(join(folder, 'a.mp4'), withBox(whole, ['avc1'], box))
  await using made = await clean('a.mp4')
  await tellsNothing(t, made.path)
})

test('the colours that a film has in numbers stay', async (t) => {
  const { folder, clean } = await bench(t)
  const colours = ['-color_primaries', 'bt709', '-color_trc', 'bt709', '-colorspace', 'bt709']
  await film(folder, 'a.mp4', ...PICTURE_IN, '-c:v', 'libx264', '-pix_fmt', 'yuv420p', ...colours)
  await using made = await clean('a.mp4')
  t.true((await readFile(made.path)).includes('colrnclx'))
})

test('metadata in the setup of an AV1 decoder is gone', async (t) => {
  const { folder, clean } = await bench(t)
  const whole = await readFile(
    await film(folder, 'a.mp4', ...PICTURE_IN, '-c:v', 'libaom-av1', '-cpu-used', '8'),
  )
  const text = Buffer.from('PRIVATE')
  const unit = Buffer.concat([Buffer.from([(5 << 3) | 2, text.length + 1, 31]), text])
  await writeFile(join(folder, 'a.mp4'), withBox(whole, ['av01', 'av1C'], unit))
  await using made = await clean('a.mp4')
  await tellsNothing(t, made.path)
  await run(folder, 'ffmpeg', '-v', 'error', '-xerror', '-i', made.path, '-f', 'null', '-')
})

test('units that H.264 leaves to others are gone', async (t) => {
  const { folder, clean } = await bench(t)
  const raw = await readFile(
    await film(folder, 'a.h264', ...PICTURE_IN, '-c:v', 'libx264', '-pix_fmt', 'yuv420p', '-bf', '0'),
  )
  // Before each picture.
  const unit = Buffer.concat([Buffer.from([0, 0, 0, 1, 0x1f]), Buffer.from('PRIVATE position')])
  const parts: Buffer[] = []
  let from = 0
  for (const mark of [0x65, 0x41]) {
    const at = raw.indexOf(Buffer.from([0, 0, 1, mark]), from)
    parts.push(raw.subarray(from, at), unit)
    from = at
  }
  await writeFile(join(folder, 'b.h264'), Buffer.concat([...parts, raw.subarray(from)]))
  const file = await film(folder, 'b.mp4', '-f', 'h264', '-i', 'b.h264', '-c', 'copy')
  t.true(secretsIn(await readFile(file)).length > 0)
  await using made = await clean('b.mp4')
  await tellsNothing(t, made.path)
})

test('an emptied message is as long as before, whatever its length', async (t) => {
  const path = join(await testFolder(t), 'film')
  for (let bytes = 0; bytes < 800; bytes += 1) {
    const unit = Buffer.alloc(2 + bytes, 'P')
    const array = Buffer.from([39, 0, 1, unit.length >> 8, unit.length & 255])
    const setup = Buffer.concat([Buffer.alloc(22), Buffer.from([1]), array, unit])
    await writeFile(path, Buffer.concat([Buffer.from('before'), setup, Buffer.from('after')]))
    await emptyNotes(path, 'hevc', setup)
    const written = await readFile(path)
    t.is(written.length, setup.length + 11)
    t.true(written.toString('latin1').endsWith('after'))
    const message = written.subarray(6 + setup.length - bytes, -5)
    t.false(message.includes('PP'))
    if (bytes < 3) continue
    // Type 3, its size, as many bytes of 255, and the end.
    let at = 1
    let size = 0
    for (; message[at] === 255 && size + 255 < bytes; at += 1) size += 255
    size += message[at] ?? 0
    t.is(message[0], 3)
    t.is(message[at + 1 + size], 0x80)
    t.true(bytes - (at + 1 + size) <= 2)
  }
})

test('the bytes of a dump are those that were dumped', async (t) => {
  const folder = await testFolder(t)
  const file = await film(folder, 'a.mp4', ...PICTURE_IN, '-c:v', 'libx264', '-pix_fmt', 'yuv420p')
  const shown = ['-v', 'error', '-show_data', '-show_entries', 'stream=extradata', '-of', 'json', file]
  const { streams } = JSON.parse(await run(folder, 'ffprobe', ...shown)) as {
    streams: { extradata: string }[]
  }
  const setup = setupOf(streams[0]?.extradata ?? '')
  t.is(setup[0], 1)
  t.true(setup.length > 30)
  t.true((await readFile(file)).includes(Buffer.concat([Buffer.from('avcC'), setup])))
})
