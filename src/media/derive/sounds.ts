import { isKind, probe } from '../clean/sound-and-video.ts'
import type { Encoder, StreamSource } from './encoder.ts'
import type { Made } from './made.ts'

/** Enough for drawing how loud it is. */
const WAVE_HERTZ = 8000

/** Samples that the waveform is drawn of. */
export const WAVE_SAMPLES = 'samples'

type SoundType = 'audio/ogg' | 'audio/mpeg'

const ENCODERS: Readonly<Record<SoundType, { what: string; file: string; args: string[] }>> = {
  'audio/ogg': {
    what: 'Opus',
    file: 'sound.opus',
    args: ['-c:a', 'libopus', '-b:a', '96k', '-vbr', 'on', '-f', 'ogg'],
  },
  // One rate all the way: without a table in front, players know where a moment is.
  'audio/mpeg': {
    what: 'MP3',
    file: 'sound.mp3',
    args: '-c:a libmp3lame -b:a 128k -ar 44100 -write_xing 0 -id3v2_version 0 -write_id3v1 0 -f mp3'.split(
      ' ',
    ),
  },
}

/** At most stereo. */
export function channelsOf(channels: number | undefined): string[] {
  return ['-ac', String(Math.min(2, channels ?? 2))]
}

/** Makes what is missing of Opus and MP3, and the samples that the waveform is drawn of. */
export async function makeSounds(encoder: Encoder, source: StreamSource, type: string): Promise<Made[]> {
  const { streams } = await probe(encoder.tools, encoder.probing, source.path, source.container)
  const sound = streams.find(isKind('audio'))
  const isOpus = sound?.codec_name === 'opus' && type === 'audio/ogg'
  const wanted = (Object.keys(ENCODERS) as SoundType[]).filter(
    (each) => !(each === type && (each !== 'audio/ogg' || isOpus)),
  )
  const made: Made[] = []
  const first = ['-map', '0:a:0']
  for (const each of wanted) {
    const { what, file, args } = ENCODERS[each]
    await encoder.run(source, { what, file, args: [...first, ...channelsOf(sound?.channels), ...args] })
    const { durationMs = source.durationMs } = await probe(
      encoder.tools,
      encoder.probing,
      encoder.path(file),
      each === 'audio/ogg' ? 'ogg' : 'mp3',
    )
    const extension = file.split('.')[1] ?? ''
    made.push({ file, as: 'sound', type: each, extension, durationMs })
  }
  const args = [...first, '-ac', '1', '-ar', String(WAVE_HERTZ), '-c:a', 'pcm_s16le', '-f', 's16le']
  await encoder.run(source, { what: 'waveform', file: WAVE_SAMPLES, args })
  return made
}
