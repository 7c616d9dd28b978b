import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import sharp from 'sharp'
import { hashInId } from '../../src/ledger/document.ts'
import { keepFile } from './files-of-items.ts'
import type { GivenFile } from './files-of-items.ts'
import type { NodeHere } from './node-here.ts'

const execute = promisify(execFile)

/** A real landscape, different by its hue, as JPEG. */
export async function pictureFile(
  texts: Partial<GivenFile> = {},
  { width = 1600, height = 1000, hue = 20 }: { width?: number; height?: number; hue?: number } = {},
): Promise<GivenFile> {
  const bytes = await sharp(Buffer.from(landscape(width, height, hue)))
    .jpeg({ quality: 80 })
    .toBuffer()
  return { bytes, type: 'image/jpeg', extension: 'jpg', width, height, ...texts }
}

function landscape(width: number, height: number, hue: number): string {
  const hill = (top: number, light: number, bend: number) =>
    `<path d="M0 ${height * top} Q ${width * bend} ${height * (top - 0.22)} ${width * 0.6} ${height * top} T ${width} ${height * (top - 0.06)} V ${height} H 0 Z" fill="hsl(${hue + 190} 30% ${light}%)"/>`
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">
<defs><linearGradient id="g" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="hsl(${hue + 200} 55% 62%)"/><stop offset="0.7" stop-color="hsl(${hue} 80% 82%)"/></linearGradient></defs>
<rect width="100%" height="100%" fill="url(#g)"/><circle cx="${width * 0.72}" cy="${height * 0.38}" r="${height * 0.1}" fill="hsl(${hue + 20} 95% 88%)"/>
${hill(0.66, 46, 0.2)}${hill(0.78, 34, 0.35)}${hill(0.9, 22, 0.15)}</svg>`
}

/** A picture's smaller sizes, of each type, as a node makes them. */
export async function sizesOfPicture(
  { bytes }: Pick<GivenFile, 'bytes'>,
  widths: readonly number[],
): Promise<(GivenFile & { as: string })[]> {
  const made: (GivenFile & { as: string })[] = []
  for (const width of widths) {
    const small = sharp(bytes).resize({ width })
    for (const [type, extension, written] of [
      ['image/avif', 'avif', small.clone().avif({ quality: 40, effort: 0 })],
      ['image/webp', 'webp', small.clone().webp({ quality: 60 })],
      ['image/jpeg', 'jpg', small.clone().jpeg({ quality: 70 })],
    ] as const) {
      const { data, info } = await written.toBuffer({ resolveWithObject: true })
      made.push({ bytes: data, type, extension, width: info.width, height: info.height, as: `w${width}` })
    }
  }
  return made
}

/** What ffmpeg writes into a file of this ending. */
async function byFfmpeg(extension: string, ...args: string[]): Promise<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), 'hyperactive-made-'))
  try {
    const file = join(folder, `made.${extension}`)
    await execute('nice', ['-n', '19', 'ffmpeg', '-v', 'error', '-y', ...args, file])
    return await readFile(file)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const SOUND = ['-f', 'lavfi', '-i', 'sine=frequency=330:duration=2']
const FILM = ['-f', 'lavfi', '-i', 'testsrc2=size=320x180:rate=12:duration=2', ...SOUND, '-shortest']
const PLAIN_COLOURS = ['-pix_fmt', 'yuv420p']

/** Two seconds of film with a tone, as WebM: the browsers that tests run in play it. */
export async function filmFile(texts: Partial<GivenFile> = {}): Promise<GivenFile> {
  const bytes = await byFfmpeg('webm', ...FILM, '-c:v', 'libvpx', '-b:v', '200k', '-c:a', 'libopus')
  return { bytes, type: 'video/webm', extension: 'webm', width: 320, height: 180, durationMs: 2000, ...texts }
}

/** The same as MP4, and its poster, as a node makes them. */
export async function madeOfFilm(): Promise<(GivenFile & { as: string })[]> {
  const sizes = { width: 320, height: 180 }
  const mp4 = ['-c:v', 'libx264', '-preset', 'ultrafast', ...PLAIN_COLOURS, '-c:a', 'aac']
  const bytes = await byFfmpeg('mp4', ...FILM, ...mp4, '-movflags', '+faststart')
  const poster = await byFfmpeg('jpg', ...FILM.slice(0, 4), '-frames:v', '1', '-update', '1')
  return [
    { bytes, type: 'video/mp4', extension: 'mp4', ...sizes, durationMs: 2000, as: 'film' },
    { bytes: poster, type: 'image/jpeg', extension: 'jpg', ...sizes, as: 'poster' },
    { bytes: poster, type: 'image/jpeg', extension: 'jpg', ...sizes, as: 'w320' },
  ]
}

/** Two seconds of a tone, as WAV. */
export async function soundFile(texts: Partial<GivenFile> = {}): Promise<GivenFile> {
  const bytes = await byFfmpeg('wav', ...SOUND)
  return { bytes, type: 'audio/wav', extension: 'wav', durationMs: 2000, ...texts }
}

/** The same as Opus and MP3, and the picture of its waveform. */
export async function madeOfSound(): Promise<(GivenFile & { as: string })[]> {
  const opus = await byFfmpeg('opus', ...SOUND, '-c:a', 'libopus', '-b:a', '48k')
  const mp3 = await byFfmpeg('mp3', ...SOUND, '-c:a', 'libmp3lame', '-b:a', '64k')
  const wave = ['-filter_complex', 'showwavespic=s=800x96:colors=#a3172b', '-frames:v', '1', '-update', '1']
  const picture = await byFfmpeg('png', ...SOUND, ...wave)
  return [
    { bytes: opus, type: 'audio/ogg', extension: 'opus', durationMs: 2000, as: 'sound' },
    { bytes: mp3, type: 'audio/mpeg', extension: 'mp3', durationMs: 2000, as: 'sound' },
    { bytes: picture, type: 'image/png', extension: 'png', width: 800, height: 96, as: 'wave' },
  ]
}

/** Says that files were made of one, as a node does that has made them. */
export async function publishMade(
  node: NodeHere,
  { item, of }: { item: string; of: string },
  made: readonly (GivenFile & { as: string })[],
): Promise<string> {
  const files = await Promise.all(
    made.map(async (file) => ({ ...(await keepFile(node, file)), as: file.as })),
  )
  const [document] = await node.here.store.ledger.append([{ draft: { type: 'media', item, of, files } }])
  const id = document?._id ?? ''
  await node.here.projector.settled(id)
  return hashInId(id)
}
