import type { KnownFile } from '../../project/media.ts'

/** How wide pictures are made, in pixels; only such as are narrower than the source. */
export const WIDTHS = [320, 640, 1280, 1920] as const

/** Types of pictures that the cleaner gives, and of which smaller ones are made. */
const PICTURES = new Set(['image/jpeg', 'image/png', 'image/webp'])

/** ffmpeg's names for the containers that the cleaner gives. */
const CONTAINERS: Readonly<Record<string, string>> = {
  'audio/mpeg': 'mp3',
  'audio/ogg': 'ogg',
  'audio/mp4': 'mov',
  'audio/webm': 'matroska',
  'audio/flac': 'flac',
  'audio/wav': 'wav',
  'video/mp4': 'mov',
  'video/webm': 'matroska',
  'video/matroska': 'matroska',
}

/** What a file is when something is made of it. */
export type Sort = 'picture' | 'sound' | 'film'

/** What is made of a file; undefined for one of which nothing is. */
export function sortOf({ type, width }: Pick<KnownFile, 'type' | 'width'>): Sort | undefined {
  if (PICTURES.has(type)) return width !== undefined && width <= WIDTHS[0] ? undefined : 'picture'
  if (!(type in CONTAINERS)) return undefined
  return type.startsWith('video/') ? 'film' : 'sound'
}

/** How ffmpeg is to read a sound or film: it never guesses. */
export function containerOf(type: string): string {
  const container = CONTAINERS[type]
  if (container === undefined) throw new Error(`${type} is neither sound nor film`)
  return container
}
