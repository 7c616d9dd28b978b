import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readFile, rename, stat, writeFile } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { isKind, probe, sizeOf } from '../clean/sound-and-video.ts'
import { unreadable } from '../clean/problems.ts'
import type { Encoder, StreamSource } from './encoder.ts'
import { filmIn, planMp4, planPoster, planWebm } from './film-plan.ts'
import type { Film } from './film-plan.ts'
import type { Made } from './made.ts'
import { notMade } from './problems.ts'

/** Films that are longer are also made for players that fetch them in parts. */
const HLS_FROM_MS = 5 * 60 * 1000
const PART_SECONDS = 6

/** A frame of the film, which its pictures are made of. */
export const FRAME = 'frame.png'

/** Makes what is missing of MP4 and WebM, what a long film is played from in parts, and a frame of it. */
export async function makeFilms(encoder: Encoder, source: StreamSource, type: string): Promise<Made[]> {
  const probed = await probe(encoder.tools, encoder.probing, source.path, source.container)
  const film = filmIn(probed, source.bytes)
  if (!film) throw unreadable('it holds no film')
  await makeFrame(encoder, source, film)
  const mp4 = await makeFilm(encoder, source, {
    args: planMp4(film, type),
    file: 'film.mp4',
    extension: 'mp4',
    container: 'mov',
  })
  const webm = await makeFilm(encoder, source, {
    args: planWebm(film, type),
    file: 'film.webm',
    extension: 'webm',
    container: 'matroska',
  })
  const parts = source.durationMs > HLS_FROM_MS ? await makeParts(encoder, source, mp4) : []
  return [mp4, webm].flatMap((made) => made ?? []).concat(parts)
}

interface FilmJob {
  /** Undefined where the source is such a film already. */
  args: string[] | undefined
  file: string
  extension: string
  container: string
}

async function makeFilm(
  encoder: Encoder,
  source: StreamSource,
  { args, file, extension, container }: FilmJob,
): Promise<Made | undefined> {
  if (!args) return undefined
  await encoder.run(source, { what: extension, file, args })
  const { streams, durationMs = source.durationMs } = await probe(
    encoder.tools,
    encoder.probing,
    encoder.path(file),
    container,
  )
  const shown = streams.find(isKind('video'))
  return { file, as: 'film', type: `video/${extension}`, extension, ...(shown && sizeOf(shown)), durationMs }
}

async function makeFrame(encoder: Encoder, source: StreamSource, film: Film): Promise<void> {
  for (const plan of planPoster(film)) {
    await encoder.run(source, { what: 'picture', file: FRAME, ...plan })
    // Where no frame was bright enough, ffmpeg ends well and has written nothing.
    const isThere = await stat(encoder.path(FRAME)).then(
      ({ size }) => size > 0,
      () => false,
    )
    if (isThere) return
  }
  throw notMade('picture', 'the film has no frame', encoder.folder)
}

/**
 * The film in one fragmented file, and the playlist that says where its parts are (RFC 8216, 4.3.2.2). The playlist
 * names the file by its digest, as it is served beside it.
 */
async function makeParts(encoder: Encoder, source: StreamSource, mp4: Made | undefined): Promise<Made[]> {
  const from = mp4
    ? {
        ...source,
        path: encoder.path(mp4.file),
        container: 'mov',
        bytes: (await stat(encoder.path(mp4.file))).size,
      }
    : source
  const [playlist, film] = ['parts.m3u8', 'parts.mp4']
  await encoder.run(from, {
    what: 'HLS',
    file: playlist,
    args: [
      ...'-map 0 -c copy -f hls -hls_segment_type fmp4 -hls_playlist_type vod'.split(' '),
      ...`-hls_flags single_file -hls_time ${PART_SECONDS} -hls_segment_filename`.split(' '),
      encoder.path(film),
    ],
  })
  const hash = createHash('sha256')
  await pipeline(createReadStream(encoder.path(film)), hash)
  const name = `${hash.digest('hex')}.mp4`
  const text = await readFile(encoder.path(playlist), 'utf8')
  await writeFile(encoder.path(`${playlist}.new`), text.replaceAll(film, name))
  await rename(encoder.path(`${playlist}.new`), encoder.path(playlist))
  const { width, height, durationMs = source.durationMs } = mp4 ?? {}
  const size = width === undefined || height === undefined ? {} : { width, height }
  return [
    {
      file: playlist,
      as: 'hls',
      type: 'application/vnd.apple.mpegurl',
      extension: 'm3u8',
      ...size,
      durationMs,
    },
    { file: film, as: 'hls-film', type: 'video/mp4', extension: 'mp4', ...size, durationMs },
  ]
}
