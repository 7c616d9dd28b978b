import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import sharp from 'sharp'
import { publishWithFiles } from '../../helpers/files-of-items.ts'
import type { GivenFile } from '../../helpers/files-of-items.ts'
import { testFolder } from '../../helpers/folder.ts'
import { startNodeHere } from '../../helpers/node-here.ts'
import type { NodeHere } from '../../helpers/node-here.ts'
import type { ItemFile } from '../../../src/project/media.ts'
import { film, run, tellsNothing } from '../clean/fixtures.ts'
import { bytesOf, sortsOf, untilMade } from './fixtures.ts'

interface Looked {
  streams: {
    codec_name: string
    pix_fmt?: string
    width?: number
    height?: number
    avg_frame_rate?: string
  }[]
  format: { duration: string }
}

async function look(path: string): Promise<Looked> {
  const args = ['-v', 'error', '-show_streams', '-show_format', '-of', 'json', path]
  return JSON.parse(await run('/', 'ffprobe', ...args)) as Looked
}

/** Writes what was made of a file into a folder, by what it was made as. */
async function unpack(node: NodeHere, folder: string, { made }: ItemFile): Promise<Map<string, string>> {
  const paths = new Map<string, string>()
  for (const { sha256, extension, as, type } of made) {
    const path = join(folder, `${sha256}.${extension}`)
    await writeFile(path, await bytesOf(node, sha256))
    paths.set(`${as} ${type}`, path)
  }
  return paths
}

async function given(path: string, type: string, durationMs: number): Promise<GivenFile> {
  return { bytes: await readFile(path), type, extension: path.split('.').at(-1) ?? '', durationMs }
}

const ENCODERS = /x264 - core|Lavf\d|Lavc\d|threads=|creation_time/

test('a film becomes one that every browser plays, with a picture that is not black', async (t) => {
  const folder = await testFolder(t)
  const node = await startNodeHere(t, '')
  const scene = 'testsrc2=size=1360x766:rate=50:duration=1'
  const path = await film(
    folder,
    'a.mkv',
    '-f',
    'lavfi',
    '-i',
    scene,
    '-f',
    'lavfi',
    '-i',
    'sine=duration=1',
    '-vf',
    'fade=in:st=0.4:d=0.2',
    '-c:v',
    'libx264',
    '-preset',
    'ultrafast',
    '-pix_fmt',
    'yuv444p',
    '-c:a',
    'flac',
  )
  const { item } = await publishWithFiles(node, [await given(path, 'video/matroska', 1000)])
  const file = await untilMade(node, item)
  t.deepEqual(sortsOf(file), ['film video/mp4', 'film video/webm', 'poster image/jpeg', 'w320 image/jpeg'])
  const paths = await unpack(node, folder, file)
  const mp4 = paths.get('film video/mp4') ?? ''
  const [video, sound] = (await look(mp4)).streams
  t.like(video, { codec_name: 'h264', pix_fmt: 'yuv420p', width: 1280, height: 720, avg_frame_rate: '30/1' })
  t.is(sound?.codec_name, 'aac')
  const bytes = await readFile(mp4)
  t.true(bytes.indexOf('moov') < bytes.indexOf('mdat'))
  const webm = paths.get('film video/webm') ?? ''
  t.deepEqual(
    (await look(webm)).streams.map(({ codec_name: codec }) => codec),
    ['vp9', 'opus'],
  )
  for (const one of paths.values()) {
    t.notRegex((await readFile(one)).toString('latin1'), ENCODERS)
    await tellsNothing(t, one)
  }
  const { channels } = await sharp(paths.get('poster image/jpeg')).stats()
  t.true(channels.some(({ mean }) => mean > 40))
  t.like(await sharp(paths.get('w320 image/jpeg')).metadata(), { width: 320, height: 180 })
  t.like(
    file.made.find(({ as }) => as === 'film'),
    { width: 1280, height: 720 },
  )
  const cover = (await node.here.site.anyItem(item))?.listing.cover
  t.is(cover?.small?.width, 320)
})

test('a film that browsers play is left as it is; one that stands on its side is turned', async (t) => {
  const folder = await testFolder(t)
  const node = await startNodeHere(t, '')
  const scene = ['-f', 'lavfi', '-i', 'testsrc2=size=320x180:rate=10:duration=1', '-pix_fmt', 'yuv420p']
  const plain = await film(folder, 'plain.mp4', ...scene, '-c:v', 'libx264')
  await film(folder, 'long.mov', ...scene, '-c:v', 'mpeg4')
  const turned = await film(
    folder,
    'turned.mp4',
    '-display_rotation',
    '90',
    '-i',
    'long.mov',
    '-c',
    'copy',
  ).catch(
    // Older ones write the note as a tag.
    () => film(folder, 'turned.mp4', '-i', 'long.mov', '-c', 'copy', '-metadata:s:v', 'rotate=90'),
  )
  const first = await publishWithFiles(node, [await given(plain, 'video/mp4', 1000)])
  t.deepEqual(sortsOf(await untilMade(node, first.item)), ['film video/webm', 'poster image/jpeg'])
  const second = await publishWithFiles(node, [await given(turned, 'video/mp4', 1000)])
  const { made } = await untilMade(node, second.item)
  for (const { width, height } of made) t.deepEqual([width, height], [180, 320])
})

test('a film that is black all the time has a picture all the same', async (t) => {
  const folder = await testFolder(t)
  const node = await startNodeHere(t, '')
  const path = await film(
    folder,
    'a.mp4',
    '-f',
    'lavfi',
    '-i',
    'color=black:size=64x48:rate=5:duration=1',
    '-c:v',
    'libx264',
  )
  const { item } = await publishWithFiles(node, [await given(path, 'video/mp4', 1000)])
  t.true(sortsOf(await untilMade(node, item)).includes('poster image/jpeg'))
})

test('a long film is also made in parts, in one file that the playlist names by its digest', async (t) => {
  const folder = await testFolder(t)
  const node = await startNodeHere(t, '')
  const scene = 'testsrc2=size=64x48:rate=2:duration=310'
  const path = await film(
    folder,
    'a.mp4',
    '-f',
    'lavfi',
    '-i',
    scene,
    '-c:v',
    'libx264',
    '-g',
    '6',
    '-pix_fmt',
    'yuv420p',
  )
  const { item } = await publishWithFiles(node, [await given(path, 'video/mp4', 310_000)])
  const file = await untilMade(node, item)
  const paths = await unpack(node, folder, file)
  const playlist = paths.get('hls application/vnd.apple.mpegurl') ?? ''
  const parts = file.made.find(({ as }) => as === 'hls-film')
  const text = await readFile(playlist, 'utf8')
  t.regex(text, new RegExp(`#EXT-X-MAP:URI="${parts?.sha256}.mp4",BYTERANGE="\\d+@0"`))
  t.regex(text, /#EXT-X-BYTERANGE:\d+@\d+\n[0-9a-f]{64}\.mp4/)
  t.regex(text, /#EXT-X-ENDLIST/)
  t.notRegex(text, /parts|tmp|file:/)
  const { format, streams } = await look(playlist)
  t.is(Math.round(Number(format.duration)), 310)
  t.is(streams[0]?.codec_name, 'h264')
  const answer = await node.page(`/files/${parts?.sha256}.mp4`, { headers: { range: 'bytes=0-99' } })
  t.is(answer.status, 206)
})

test('sound becomes Opus and MP3, and its waveform a picture', async (t) => {
  const folder = await testFolder(t)
  const node = await startNodeHere(t, '')
  const path = await film(
    folder,
    'a.wav',
    '-f',
    'lavfi',
    '-i',
    'sine=frequency=300:duration=4',
    '-af',
    'volume=0:enable=lt(t\\,2)',
  )
  const { item } = await publishWithFiles(node, [await given(path, 'audio/wav', 4000)])
  const file = await untilMade(node, item)
  t.deepEqual(sortsOf(file), ['sound audio/mpeg', 'sound audio/ogg', 'wave image/png'])
  const paths = await unpack(node, folder, file)
  t.is((await look(paths.get('sound audio/ogg') ?? '')).streams[0]?.codec_name, 'opus')
  t.is((await look(paths.get('sound audio/mpeg') ?? '')).streams[0]?.codec_name, 'mp3')
  for (const { durationMs, as } of file.made)
    if (as === 'sound') t.true(Math.abs((durationMs ?? 0) - 4000) < 100, String(durationMs))
  for (const one of paths.values()) await tellsNothing(t, one)
  const wave = sharp(paths.get('wave image/png'))
  t.like(await wave.metadata(), { width: 1600, height: 200, hasAlpha: true })
  // The first half is silent, a thin line; the second is loud.
  const { data, info } = await wave.raw().toBuffer({ resolveWithObject: true })
  const alpha = (x: number, y: number) => data[(y * info.width + x + 1) * info.channels - 1] ?? 0
  t.deepEqual([alpha(400, 50) > 0, alpha(400, 100) > 0, alpha(1200, 50) > 0], [false, true, true])
})

test('MP3 is not made of MP3', async (t) => {
  const folder = await testFolder(t)
  const node = await startNodeHere(t, '')
  const path = await film(folder, 'a.mp3', '-f', 'lavfi', '-i', 'sine=duration=1')
  const { item } = await publishWithFiles(node, [await given(path, 'audio/mpeg', 1000)])
  t.deepEqual(sortsOf(await untilMade(node, item)), ['sound audio/ogg', 'wave image/png'])
})
