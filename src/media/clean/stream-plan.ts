/**
 * Codecs that are copied, with the units of each that a picture is made of. Messages (SEI, metadata OBUs) go, and so do
 * types that a standard leaves to others: cameras put positions there.
 */
const COPIED_VIDEO: Readonly<Record<string, string | undefined>> = {
  h264: 'filter_units=pass_types=1-5|7-11',
  hevc: 'filter_units=pass_types=0-9|16-21|32-37',
  av1: 'filter_units=pass_types=1-4|6-8',
  vp8: undefined,
  vp9: undefined,
}
const IN_MP4 = new Set(['h264', 'hevc', 'av1', 'vp9', 'aac', 'mp3', 'opus', 'ac3', 'eac3', 'alac'])
const IN_WEBM = new Set(['vp8', 'vp9', 'av1', 'opus'])
const IN_MATROSKA = new Set([...IN_MP4, ...IN_WEBM])

/** What goes where: the container and, for each stream that is kept, whether it is copied. */
export interface Plan {
  muxer: string
  type: string
  extension: string
  args: string[]
  encodes: boolean
}

interface SoundPlan {
  codecs: RegExp
  muxer: string
  args: (codec: string) => string[]
  made?: string
  extension?: string
}

const AAC = ['-c:a', 'aac', '-b:a', '192k']
const OPUS = ['-c:a', 'libopus', '-b:a', '160k']
const copy = () => ['-c:a', 'copy']

/** Sound that keeps its codec, by the container that it came in. */
const SOUND: Readonly<Record<string, SoundPlan>> = {
  mp3: {
    codecs: /^mp3$/,
    muxer: 'mp3',
    args: () => [...copy(), '-id3v2_version', '0', '-write_id3v1', '0'],
  },
  aac: {
    codecs: /^aac$/,
    muxer: 'mp4',
    args: () => [...copy(), '-bsf:a', 'aac_adtstoasc'],
    made: 'audio/mp4',
    extension: 'm4a',
  },
  // Decoded and encoded again without any loss: a copy takes along what stands behind the last frame, or in the header.
  flac: { codecs: /^flac$/, muxer: 'flac', args: () => ['-c:a', 'flac'] },
  wav: { codecs: /^pcm_/, muxer: 'wav', args: (codec) => ['-c:a', codec] },
  ogg: { codecs: /^(?:opus|vorbis)$/, muxer: 'ogg', args: copy },
}

/**
 * Sound from a container that may hold any codec: copied where the target takes it, and the container says where each
 * frame begins and ends (WAV does not: with its frames, a copy takes along what was put between them).
 */
function planOther(container: string, codec: string): Omit<Plan, 'extension'> {
  const isMatroska = container === 'matroska'
  const copies = isMatroska ? codec === 'opus' : container === 'mov' && IN_MP4.has(codec)
  const encoder = isMatroska ? OPUS : AAC
  const args = copies ? copy() : encoder
  return isMatroska
    ? { muxer: 'webm', type: 'audio/webm', args, encodes: !copies }
    : { muxer: 'mp4', type: 'audio/mp4', args, encodes: !copies }
}

/** @param isChained whether it is several streams one after the other, each with headers of its own */
export function planSound(type: string, container: string, codec: string, isChained: boolean): Plan {
  const known = SOUND[container]
  // A copy takes along the headers of all but the first, and with them their comments.
  if (isChained && codec === 'vorbis')
    return { muxer: 'ogg', args: OPUS, type: 'audio/ogg', extension: 'opus', encodes: true }
  if (known?.codecs.test(codec)) {
    const { muxer, args, made = type, extension = codec === 'opus' ? 'opus' : container } = known
    return { muxer, args: args(codec), type: made, extension, encodes: false }
  }
  const plan = planOther(container, codec)
  return { ...plan, extension: plan.muxer === 'webm' ? 'webm' : 'm4a' }
}

export function planVideo(container: string, video: string, sounds: string[]): Plan {
  const isMatroska = container === 'matroska'
  // Vorbis in Matroska keeps its comments in a header that a copy takes along.
  const holdsSound = isMatroska ? IN_MATROSKA : IN_MP4
  const copiesVideo = video in COPIED_VIDEO && (isMatroska || IN_MP4.has(video))
  const copiesSound = sounds.map((codec) => holdsSound.has(codec))
  const isWebm =
    isMatroska && IN_WEBM.has(video) && sounds.every((codec) => IN_WEBM.has(codec) || !holdsSound.has(codec))
  const args = copiesVideo
    ? ['-c:v', 'copy']
    : ['-c:v', 'libx264', '-preset', 'veryfast', '-crf', '19', '-pix_fmt', 'yuv420p']
  const notes = copiesVideo ? COPIED_VIDEO[video] : COPIED_VIDEO['h264']
  if (notes !== undefined) args.push('-bsf:v', notes)
  if (video === 'hevc' && !isMatroska) args.push('-tag:v', 'hvc1')
  for (const [index, copies] of copiesSound.entries()) {
    const encoder = (isMatroska ? OPUS : AAC).map((arg) => (arg.startsWith('-') ? `${arg}:${index}` : arg))
    args.push(...(copies ? [`-c:a:${index}`, 'copy'] : encoder))
  }
  const encodes = !copiesVideo || copiesSound.includes(false)
  if (isWebm) return { muxer: 'webm', type: 'video/webm', extension: 'webm', args, encodes }
  if (isMatroska) return { muxer: 'matroska', type: 'video/matroska', extension: 'mkv', args, encodes }
  return {
    muxer: 'mp4',
    type: 'video/mp4',
    extension: 'mp4',
    args: [...args, '-movflags', '+faststart'],
    encodes,
  }
}

/** ffmpeg's name for what a muxer wrote. */
export function demuxerOf(muxer: string): string {
  if (muxer === 'mp4') return 'mov'
  return muxer === 'webm' ? 'matroska' : muxer
}
