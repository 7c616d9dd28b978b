import { randomBytes } from 'node:crypto'
import type { GivenFile } from './files-of-items.ts'

/*
 * Files of a few random bytes that are said to be pictures, sound and film: for tests of what is said of them, for which
 * nobody opens them. Those that are opened are in made-files.ts.
 */

/** A picture of 1600 × 1000 pixels. */
export function picture(texts: Partial<GivenFile> = {}): GivenFile {
  return {
    bytes: randomBytes(200),
    type: 'image/jpeg',
    extension: 'jpg',
    width: 1600,
    height: 1000,
    ...texts,
  }
}

/** Its sizes, of each type. */
export function pictureSizes(widths: readonly number[]): (GivenFile & { as: string })[] {
  return widths.flatMap((width) =>
    ['avif', 'webp', 'jpg'].map((extension) => ({
      bytes: randomBytes(150),
      type: `image/${extension === 'jpg' ? 'jpeg' : extension}`,
      extension,
      width,
      height: Math.round(width / 1.6),
      as: `w${width}`,
    })),
  )
}

/** What is made of a film: MP4 and WebM, a playlist, and a still. */
export function madeFilm(): (GivenFile & { as: string })[] {
  const size = { width: 320, height: 180, durationMs: 3_723_400 }
  return [
    { bytes: randomBytes(300), type: 'video/webm', extension: 'webm', ...size, as: 'film' },
    { bytes: randomBytes(300), type: 'video/mp4', extension: 'mp4', ...size, as: 'film' },
    { bytes: randomBytes(90), type: 'application/vnd.apple.mpegurl', extension: 'm3u8', as: 'hls' },
    { bytes: randomBytes(120), type: 'image/jpeg', extension: 'jpg', width: 320, height: 180, as: 'poster' },
  ]
}

/** What is made of sound: Opus and MP3, and the picture of its waveform. */
export function madeSound(): (GivenFile & { as: string })[] {
  return [
    { bytes: randomBytes(210), type: 'audio/mpeg', extension: 'mp3', durationMs: 61_000, as: 'sound' },
    { bytes: randomBytes(190), type: 'audio/ogg', extension: 'opus', durationMs: 61_000, as: 'sound' },
    { bytes: randomBytes(100), type: 'image/png', extension: 'png', width: 800, height: 96, as: 'wave' },
  ]
}

/** Captions of one cue. */
export function captionsFile(text: string, texts: Partial<GivenFile> = {}): GivenFile {
  const bytes = Buffer.from(`WEBVTT\n\n00:00.000 --> 00:02.000\n${text}\n`)
  return { bytes, type: 'text/vtt', extension: 'vtt', ...texts }
}
