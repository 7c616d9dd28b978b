import { appendFile, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import sharp from 'sharp'
import {
  bench,
  film,
  halves,
  NAME,
  PICTURE_IN,
  run,
  secretsIn,
  SOUND_IN,
  tellsNothing,
  zip,
} from './fixtures.ts'

const TAGS = [
  ['-metadata', `artist=${NAME}`, '-metadata', 'title=PRIVATE', '-metadata', `comment=${NAME}`],
  ['-metadata', 'location=+52.5200+13.4050/', '-metadata:s', `title=${NAME}`],
  ['-metadata:s', `handler_name=${NAME}`, '-metadata', 'creation_time=2026-11-23T07:00:00Z'],
].flat()
const H264 = ['-c:v', 'libx264', '-pix_fmt', 'yuv420p', '-g', '10']

interface Case {
  name: string
  args: string[]
  type: string
  extension: string
  sized?: boolean
}

const CASES: Case[] = [
  {
    name: 'a.mp3',
    args: [...SOUND_IN, '-c:a', 'libmp3lame', '-write_id3v1', '1'],
    type: 'audio/mpeg',
    extension: 'mp3',
  },
  { name: 'a.opus', args: [...SOUND_IN, '-c:a', 'libopus'], type: 'audio/ogg', extension: 'opus' },
  { name: 'a.ogg', args: [...SOUND_IN, '-c:a', 'libvorbis'], type: 'audio/ogg', extension: 'ogg' },
  { name: 'a.m4a', args: [...SOUND_IN, '-c:a', 'aac'], type: 'audio/mp4', extension: 'm4a' },
  {
    name: 'a.aac',
    args: [...SOUND_IN, '-c:a', 'aac', '-write_id3v2', '1'],
    type: 'audio/mp4',
    extension: 'm4a',
  },
  { name: 'a.flac', args: [...SOUND_IN, '-c:a', 'flac'], type: 'audio/flac', extension: 'flac' },
  { name: 'a.wav', args: SOUND_IN, type: 'audio/wav', extension: 'wav' },
  { name: 'sound.webm', args: [...SOUND_IN, '-c:a', 'libopus'], type: 'audio/webm', extension: 'webm' },
  {
    name: 'v.mp4',
    args: [...PICTURE_IN, ...SOUND_IN, ...H264, '-c:a', 'aac', '-movflags', 'use_metadata_tags'],
    type: 'video/mp4',
    extension: 'mp4',
    sized: true,
  },
  {
    name: 'v.mov',
    args: [...PICTURE_IN, ...SOUND_IN, ...H264, '-c:a', 'pcm_s16le'],
    type: 'video/mp4',
    extension: 'mp4',
    sized: true,
  },
  {
    name: 'mjpeg.mov',
    args: [...PICTURE_IN, '-c:v', 'mjpeg'],
    type: 'video/mp4',
    extension: 'mp4',
    sized: true,
  },
  {
    name: 'v.webm',
    args: [...PICTURE_IN, ...SOUND_IN, '-c:v', 'libvpx', '-c:a', 'libvorbis'],
    type: 'video/webm',
    extension: 'webm',
    sized: true,
  },
  {
    name: 'v.mkv',
    args: [...PICTURE_IN, ...SOUND_IN, ...H264, '-c:a', 'libmp3lame'],
    type: 'video/matroska',
    extension: 'mkv',
    sized: true,
  },
]

for (const { name, args, type, extension, sized = false } of CASES) {
  test(`${name} loses its tags, and plays as long as before`, async (t) => {
    const { folder, clean } = await bench(t)
    const file = await film(folder, name, ...args, ...TAGS)
    t.not(secretsIn(await readFile(file)).length, name === 'a.aac' ? -1 : 0)
    await using made = await clean(name)
    t.like(made, { type, extension, ...(sized && { width: 64, height: 48 }) })
    t.true(Math.abs((made.durationMs ?? 0) - 2000) < 150, String(made.durationMs))
    await tellsNothing(t, made.path)
    // All of it can be decoded.
    await run(folder, 'ffmpeg', '-v', 'error', '-xerror', '-i', made.path, '-f', 'null', '-')
  })
}

test('XMP and a position that exiftool writes into a film are gone', async (t) => {
  const { folder, clean } = await bench(t)
  await film(folder, 'v.mp4', ...PICTURE_IN, ...H264)
  const tags = [
    `-XMP-dc:Creator=${NAME}`,
    '-Keys:GPSCoordinates=52.520008 13.404954 34',
    `-ItemList:Artist=${NAME}`,
  ]
  await run(folder, 'exiftool', '-q', '-overwrite_original', ...tags, 'v.mp4')
  t.true(secretsIn(await readFile(join(folder, 'v.mp4'))).length > 1)
  await using made = await clean('v.mp4')
  await tellsNothing(t, made.path)
})

test('covers, subtitles, chapters, attachments and messages beside the frames are gone', async (t) => {
  const { folder, clean } = await bench(t)
  await halves().jpeg().toFile(join(folder, 'cover.jpg'))
  await run(folder, 'exiftool', '-q', '-overwrite_original', `-Artist=${NAME}`, 'cover.jpg')
  await writeFile(join(folder, 'place.srt'), '1\n00:00:00,000 --> 00:00:01,000\nGPS(52.520008, 13.404954)\n')
  await writeFile(
    join(folder, 'chapters.txt'),
    `;FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1\nSTART=0\nEND=1\ntitle=${NAME}\n`,
  )
  const message = '086f3693-b7b3-4f2c-9653-21492feee5b8+PRIVATE'
  const sources = ['-i', 'place.srt', '-i', 'chapters.txt', '-map', '0', '-map', '1', '-map_chapters', '2']
  const codecs = ['-c:s', 'srt', ...H264, '-bsf:v', `h264_metadata=sei_user_data=${message}`]
  const attached = ['-attach', 'cover.jpg', '-metadata:s:t', 'mimetype=image/jpeg']
  await film(folder, 'v.mkv', ...PICTURE_IN, ...sources, ...codecs, ...attached)
  t.deepEqual(secretsIn(await readFile(join(folder, 'v.mkv'))).includes('PRIVATE'), true)
  await using made = await clean('v.mkv')
  await tellsNothing(t, made.path, ['cover.jpg', 'x264 - core'])
  const streams = await run(
    folder,
    'ffprobe',
    '-v',
    'error',
    '-show_entries',
    'stream=codec_type',
    '-of',
    'csv=p=0',
    made.path,
  )
  t.is(streams.trim(), 'video')
})

test('the cover of a song is gone, and the song is no film', async (t) => {
  const { folder, clean } = await bench(t)
  await halves().jpeg().toFile(join(folder, 'cover.jpg'))
  for (const [name, codec] of [
    ['s.mp3', 'libmp3lame'],
    ['s.m4a', 'aac'],
    ['s.flac', 'flac'],
  ] as const) {
    const cover = ['-map', '0', '-map', '1', '-c:v', 'mjpeg', '-disposition:v', 'attached_pic']
    await film(folder, name, ...SOUND_IN, '-i', 'cover.jpg', ...cover, '-c:a', codec, ...TAGS)
    await using made = await clean(name)
    t.regex(made.type, /^audio\//)
    t.is(made.width, undefined)
    await tellsNothing(t, made.path)
  }
})

test('comments of Vorbis inside WebM are gone', async (t) => {
  const { folder, clean } = await bench(t)
  const file = await film(folder, 'v.webm', ...SOUND_IN, '-c:a', 'libvorbis')
  const bytes = await readFile(file, 'latin1')
  const edited = bytes.replace(
    /encoder=Lavc([\d.]+)/,
    (found) => `by=PRIVATE${'x'.repeat(found.length - 10)}`,
  )
  t.not(edited, bytes)
  await writeFile(file, edited, 'latin1')
  await using made = await clean('v.webm')
  await tellsNothing(t, made.path)
})

test('a film that was turned stays turned', async (t) => {
  const { folder, clean } = await bench(t)
  await film(folder, 'flat.mp4', ...PICTURE_IN, ...H264)
  await film(folder, 'turned.mp4', '-i', 'flat.mp4', '-c', 'copy', '-metadata:s:v:0', 'rotate=90')
  await using made = await clean('turned.mp4')
  t.like(made, { width: 48, height: 64 })
  await film(folder, 'frame.png', '-i', made.path, '-frames:v', '1')
  const { width, height } = await sharp(join(folder, 'frame.png')).metadata()
  t.deepEqual([width, height], [48, 64])
})

test('what is hidden behind sound or film stays behind', async (t) => {
  const { folder, clean } = await bench(t)
  const archive = zip({ 'PRIVATE.js': 'PRIVATE', 'META-INF/MANIFEST.MF': 'x'.repeat(5000) })
  for (const { name, args } of CASES) {
    const file = await film(folder, name, ...args)
    await appendFile(file, Buffer.concat([Buffer.from('<script>PRIVATE</script>'), archive]))
    await using made = await clean(name)
    const bytes = await readFile(made.path)
    t.false(bytes.includes('PRIVATE') || bytes.includes('<script') || bytes.includes('PK\u0001\u0002'), name)
  }
})

test('films and sound that are cut off are refused', async (t) => {
  const { folder, refused } = await bench(t)
  for (const { name, args } of CASES) {
    // These say nowhere how long they are: what is there plays, and is all of it.
    if (/\.(?:mp3|opus|ogg|aac)$/.test(name)) continue
    const whole = await readFile(await film(folder, name, ...args))
    const { code } = await refused(whole.subarray(0, Math.floor(whole.length / 2)), name)
    t.is(code, 'media_unreadable', name)
  }
})

test('a file that only begins like a film is refused', async (t) => {
  const { refused } = await bench(t)
  const junk = Buffer.alloc(50_000, 'junk')
  for (const mark of [
    '\0\0\0\x18ftypisom\0\0\0\0isommp42',
    'fLaC\0\0\0\x22',
    'OggS\0\x02',
    'RIFF\xFF\xFF\0\0WAVEfmt ',
    '\xFF\xFB\x90\x64',
  ]) {
    const { code } = await refused(Buffer.concat([Buffer.from(mark, 'latin1'), junk]))
    t.regex(code, /^media_(?:unreadable|type_refused)$/, JSON.stringify(mark))
  }
})

test('a list of other files never gets to ffmpeg', async (t) => {
  const { folder, clean, refused } = await bench(t)
  const other = await film(folder, 'other.mp4', ...PICTURE_IN, ...H264)
  const { code } = await refused(`#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n${other}\n#EXT-X-ENDLIST\n`)
  t.is(code, 'media_type_refused')
  const list = `ffconcat version 1.0\nfile '${other}'\n`
  await writeFile(join(folder, 'list.mp4'), list)
  await using made = await clean('list.mp4')
  t.is(made.type, 'text/plain')
  t.is(await readFile(made.path, 'utf8'), list)
})
