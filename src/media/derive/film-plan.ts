import { isKind, sizeOf } from '../clean/sound-and-video.ts'
import type { Probed, Stream } from '../clean/sound-and-video.ts'
import { channelsOf } from './sounds.ts'

/** The longer side of a film, in pixels. */
const MOST_SIDE = 1280
const MOST_RATE = 30
/** A film of more bits a second than this is made again, whatever it is made of. */
const MOST_BITS = 6_000_000
const HDR = new Set(['smpte2084', 'arib-std-b67'])

/** Players join in at a key frame: one in three seconds. */
const KEY_FRAMES = ['-g', '90']
const H264 = [
  ...'-c:v libx264 -preset veryfast -crf 23 -maxrate 3M -bufsize 6M -profile:v high -pix_fmt yuv420p'.split(
    ' ',
  ),
  ...KEY_FRAMES,
  // It writes all its settings into the film, the number of threads among them.
  ...'-bsf:v filter_units=remove_types=6'.split(' '),
]
const VP9 = [
  ...'-c:v libvpx-vp9 -deadline realtime -cpu-used 7 -row-mt 1 -crf 36 -b:v 2M -pix_fmt yuv420p'.split(' '),
  ...KEY_FRAMES,
]
const AAC = '-c:a aac -b:a 128k -ar 48000'.split(' ')
const OPUS = '-c:a libopus -b:a 96k'.split(' ')

/** What a film's streams are, as far as it matters for what is made of them. */
export interface Film {
  video: Stream
  sound: Stream | undefined
  width: number
  height: number
  /** Bits a second of all together. */
  bits: number
}

export function filmIn({ streams, durationMs }: Probed, bytes: number): Film | undefined {
  const video = streams.find(isKind('video'))
  if (!video) return undefined
  const bits = durationMs === undefined ? Infinity : (bytes * 8000) / durationMs
  return { video, sound: streams.find(isKind('audio')), ...sizeOf(video), bits }
}

function isSmall({ width, height, bits }: Film): boolean {
  return Math.max(width, height) <= MOST_SIDE && bits <= MOST_BITS
}

function rateOf({ avg_frame_rate: rate = '' }: Stream): number {
  const [frames = 0, seconds = 1] = rate.split('/').map(Number)
  return frames / seconds
}

/** From a high dynamic range to that of a common screen; what the film does not say of its colours is as it is as a rule. */
function toneMapping(transfer: string): string[] {
  return [
    `zscale=tin=${transfer}:min=2020_ncl:pin=2020:rin=tv:t=linear:npl=203,format=gbrpf32le,zscale=p=709`,
    'tonemap=hable:desat=0,zscale=t=709:m=709:r=tv',
  ]
}

/** Turned upright, with square pixels, of a size that every decoder takes, in colours that every screen shows. */
function filters({ video }: Film): string {
  const width = `min(min(iw*sar\\,${MOST_SIDE})\\,${MOST_SIDE}*dar)`
  const size = `scale=w=max(2\\,2*trunc(${width}/2)):h=max(2\\,2*trunc(${width}/dar/2)),setsar=1`
  const rate = rateOf(video) > MOST_RATE * 1.02 ? [`fps=${MOST_RATE}`] : []
  const transfer = video.color_transfer ?? ''
  const light = HDR.has(transfer) ? toneMapping(transfer) : []
  return [...rate, size, ...light, 'format=yuv420p'].join(',')
}

function soundArgs({ sound }: Film, copied: string, encode: readonly string[]): string[] {
  if (!sound) return []
  const copies = sound.codec_name === copied && (sound.channels ?? 2) <= 2
  return [
    '-map',
    `0:${sound.index}`,
    ...(copies ? ['-c:a', 'copy'] : [...channelsOf(sound.channels), ...encode]),
  ]
}

function isH264(film: Film): boolean {
  return film.video.codec_name === 'h264' && film.video.pix_fmt === 'yuv420p' && isSmall(film)
}

/** How the film becomes H.264 and AAC in MP4, its index in front; undefined where it is that already. */
export function planMp4(film: Film, type: string): string[] | undefined {
  const { video, sound } = film
  const hasSound = sound === undefined || (sound.codec_name === 'aac' && (sound.channels ?? 2) <= 2)
  if (type === 'video/mp4' && isH264(film) && hasSound) return undefined
  const picture = isH264(film) ? ['-c:v', 'copy'] : [...H264, '-vf', filters(film)]
  const target = ['-movflags', '+faststart', '-f', 'mp4']
  return ['-map', `0:${video.index}`, ...picture, ...soundArgs(film, 'aac', AAC), ...target]
}

/** How the film becomes VP9 and Opus in WebM; undefined where it is a WebM already. */
export function planWebm(film: Film, type: string): string[] | undefined {
  if (type === 'video/webm' && isSmall(film)) return undefined
  const { video } = film
  return [
    '-map',
    `0:${video.index}`,
    ...VP9,
    '-vf',
    filters(film),
    ...soundArgs(film, 'opus', OPUS),
    '-f',
    'webm',
  ]
}

/**
 * How one frame is taken out. The one that is most like those around it, of the first two minutes that are not black;
 * of a film that is black all that time, the first.
 */
export function planPoster(film: Film): { before: string[]; args: string[] }[] {
  const bright =
    'blackframe=amount=0:threshold=40,metadata=mode=select:key=lavfi.blackframe.pblack:value=90:function=less'
  const frame = (first: string) => [
    '-map',
    `0:${film.video.index}`,
    '-vf',
    `${first}${filters(film)}`,
    ...'-an -frames:v 1 -update 1 -c:v png -f image2'.split(' '),
  ]
  return [
    { before: ['-t', '120'], args: frame(`${bright},thumbnail=24,`) },
    { before: [], args: frame('') },
  ]
}
