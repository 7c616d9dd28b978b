import { stat } from 'node:fs/promises'
import { runBounded } from './bounded.ts'
import type { CleanLimits } from './limits.ts'
import { emptyNotes, setupOf } from './codec-setup.ts'
import { tooLarge, typeRefused, unreadable } from './problems.ts'
import { demuxerOf, planSound, planVideo } from './stream-plan.ts'
import type { Ffmpeg } from './tools.ts'

/** ffmpeg opens nothing but the file that it is given: no address, no playlist, no other file. */
export const LOCAL = ['-protocol_whitelist', 'file,pipe']
export const CAREFULLY = '-nostdin -hide_banner -v warning -threads 2'.split(' ')
/** No tags, chapters, data or subtitles (cameras keep their position in both), no name of the program, no date. */
export const NO_NOTES = [
  ...'-map_metadata -1 -map_metadata:s -1 -map_chapters -1 -dn -sn'.split(' '),
  ...'-fflags +bitexact -flags:v +bitexact -flags:a +bitexact'.split(' '),
]
const MOST_SOUNDTRACKS = 4
const MOST_SIDE = 16_384
const MIB = 1024 * 1024
/** A stream may be this much shorter than its container says before it counts as cut off. */
const MISSING_MS = 500
const MISSING_PART = 0.05

/** A stream as ffprobe describes it. */
export interface Stream {
  index: number
  codec_name?: string
  codec_type?: string
  width?: number
  height?: number
  /** What a decoder is set up with, as a hexadecimal dump, where it is asked for: that of an attachment is its file. */
  extradata?: string
  pix_fmt?: string
  /** Frames a second, as "30000/1001". */
  avg_frame_rate?: string
  color_transfer?: string
  channels?: number
  disposition?: { attached_pic?: number }
  side_data_list?: { rotation?: number }[]
}

export interface Probed {
  streams: Stream[]
  durationMs: number | undefined
}

export interface CleanStreams {
  type: string
  extension: string
  width?: number
  height?: number
  durationMs?: number
}

export interface StreamJob {
  input: string
  /** ffmpeg's name for the input's container. */
  container: string
  /** Whether it is several streams one after the other. */
  isChained?: boolean
  type: string
  output: string
  folder: string
  limits: CleanLimits
  signal?: AbortSignal | undefined
}

const bytesOf = async (path: string) => (await stat(path)).size

/**
 * What is in a file of sound or video.
 *
 * @param container ffmpeg's name of it
 * @throws HyperactiveError `media_unreadable`
 */
export async function probe(
  { ffprobe }: Ffmpeg,
  job: Pick<StreamJob, 'folder' | 'signal'> & { limits: Pick<CleanLimits, 'timeoutMs' | 'memoryBytes'> },
  path: string,
  container: string,
  more: readonly string[] = [],
): Promise<Probed> {
  const shown = [
    'stream=index,codec_name,codec_type,width,height,extradata,pix_fmt,avg_frame_rate,color_transfer,channels',
    'stream_disposition=attached_pic:stream_side_data=rotation:format=duration',
  ].join(':')
  const args = [
    '-v',
    'error',
    ...LOCAL,
    '-f',
    container,
    ...more,
    '-show_entries',
    shown,
    '-of',
    'json',
    `file:${path}`,
  ]
  const { code, output, complaint } = await runBounded(ffprobe, args, {
    folder: job.folder,
    signal: job.signal,
    bounds: {
      timeoutMs: job.limits.timeoutMs,
      memoryBytes: job.limits.memoryBytes,
      writtenBytes: MIB,
    },
  })
  if (code !== 0) throw unreadable('it holds no sound or video that can be read', new Error(complaint))
  const { streams = [], format } = JSON.parse(output) as {
    streams?: Stream[]
    format?: { duration?: string }
  }
  const seconds = Number(format?.duration)
  return { streams, durationMs: seconds > 0 ? Math.round(seconds * 1000) : undefined }
}

/** Whether a stream is of this kind and not a cover. */
export function isKind(kind: string): (stream: Stream) => boolean {
  return ({ codec_type: type, codec_name: codec, disposition }) =>
    type === kind && codec !== undefined && disposition?.attached_pic !== 1
}

/** Its pixels, turned upright. */
export function sizeOf(stream: Stream): { width: number; height: number } {
  const { width = 0, height = 0, side_data_list: notes = [] } = stream
  const turned = notes.some(({ rotation }) => rotation !== undefined && Math.abs(rotation) % 180 === 90)
  return turned ? { width: height, height: width } : { width, height }
}

function isCutOff(declaredMs: number | undefined, isMs: number | undefined): boolean {
  return (
    declaredMs !== undefined && declaredMs - (isMs ?? 0) > Math.max(MISSING_MS, declaredMs * MISSING_PART)
  )
}

/**
 * Writes sound and video anew into a new container: the first video and up to four soundtracks, copied where the codec
 * allows it and encoded where not. Tags, chapters, cover pictures, subtitles, data and attachments stay behind; so do the
 * messages beside the frames in H.264, H.265 and AV1.
 *
 * @throws HyperactiveError `media_unreadable`, `media_too_large`, `media_too_complex`, `media_type_refused`
 */
export async function cleanStreams(tools: Ffmpeg, job: StreamJob): Promise<CleanStreams> {
  const { input, container, folder, limits, signal } = job
  const probed = await probe(tools, job, input, container)
  const video = job.type.startsWith('video/') ? probed.streams.find(isKind('video')) : undefined
  const sounds = probed.streams.filter(isKind('audio')).slice(0, video ? MOST_SOUNDTRACKS : 1)
  if (!video && sounds.length === 0) throw unreadable('it holds neither sound nor video')
  if (video && Math.max(video.width ?? 0, video.height ?? 0) > MOST_SIDE)
    throw tooLarge(`${video.width} × ${video.height} pixels; a side has ${MOST_SIDE} at most`)
  const codecs = sounds.map(({ codec_name: codec = '' }) => codec)
  const plan = video
    ? planVideo(container, video.codec_name ?? '', codecs)
    : planSound(job.type, container, codecs[0] ?? '', job.isChained === true)
  const bytes = await bytesOf(input)
  const maps = [video, ...sounds].flatMap((stream) => (stream ? ['-map', `0:${stream.index}`] : []))
  const source = [...LOCAL, '-f', container, '-i', `file:${input}`]
  const target = ['-threads', '2', '-f', plan.muxer, '-y', `file:${job.output}`]
  const args = [...CAREFULLY, ...source, ...maps, ...NO_NOTES, ...plan.args, ...target]
  const { code, complaint } = await runBounded(tools.ffmpeg, args, {
    folder,
    signal,
    bounds: {
      timeoutMs: plan.encodes ? limits.encodeTimeoutMs : limits.streamTimeoutMs + (bytes / (10 * MIB)) * 1000,
      memoryBytes: limits.memoryBytes,
      // mp4 is written twice while its index moves to the front.
      writtenBytes: plan.encodes ? Math.max(bytes * 4, 512 * MIB) : bytes * 2.5 + 64 * MIB,
    },
  })
  if (code !== 0) {
    if (/Unknown encoder|not currently supported in container|Could not find tag/.test(complaint))
      throw typeRefused(`${job.type} with ${[video?.codec_name, ...codecs].filter(Boolean).join(' and ')}`)
    throw unreadable('its sound or video cannot be read to the end', new Error(complaint))
  }
  // Then the filter lets through what it could not read.
  if (/Failed to (?:read|write) extradata/.test(complaint))
    throw unreadable('what its decoder is set up with cannot be taken apart', new Error(complaint))
  if (/corrupt (?:input )?packet|packet corrupt|partial file|truncat/i.test(complaint))
    throw unreadable('it ends too early', new Error(complaint))
  const made = await probe(tools, job, job.output, demuxerOf(plan.muxer), ['-show_data'])
  if (container !== 'mp3' && container !== 'aac' && isCutOff(probed.durationMs, made.durationMs))
    throw unreadable('it is shorter than it says')
  const shown = made.streams.find(isKind('video'))
  if (shown) await emptyNotes(job.output, shown.codec_name ?? '', setupOf(shown.extradata ?? ''))
  return {
    type: plan.type,
    extension: plan.extension,
    ...(shown && sizeOf(shown)),
    ...(made.durationMs !== undefined && { durationMs: made.durationMs }),
  }
}
