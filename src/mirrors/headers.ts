import { isHashNamed, isMedia } from './names.ts'

const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  json: 'application/json; charset=utf-8',
  xml: 'application/xml; charset=utf-8',
  rss: 'application/rss+xml; charset=utf-8',
  atom: 'application/atom+xml; charset=utf-8',
  ics: 'text/calendar; charset=utf-8',
  txt: 'text/plain; charset=utf-8',
  md: 'text/markdown; charset=utf-8',
  svg: 'image/svg+xml',
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  gif: 'image/gif',
  webp: 'image/webp',
  avif: 'image/avif',
  ico: 'image/x-icon',
  mp3: 'audio/mpeg',
  ogg: 'audio/ogg',
  opus: 'audio/ogg',
  wav: 'audio/wav',
  flac: 'audio/flac',
  aac: 'audio/aac',
  m4a: 'audio/mp4',
  m3u: 'audio/x-mpegurl; charset=utf-8',
  m3u8: 'application/vnd.apple.mpegurl',
  mp4: 'video/mp4',
  mkv: 'video/x-matroska',
  vtt: 'text/vtt; charset=utf-8',
  webm: 'video/webm',
  pdf: 'application/pdf',
  webmanifest: 'application/manifest+json',
  woff2: 'font/woff2',
}

/** How a file is to be served, for targets that keep that with it. By its name alone. Pure. */
export function headersFor(path: string): { contentType: string; cacheControl: string } {
  const ending = /\.([a-z0-9]+)$/.exec(path.toLowerCase())?.[1] ?? ''
  return {
    // A drawing that somebody published is not to be opened as a page.
    contentType:
      (isMedia(path) && ending === 'svg' ? undefined : TYPES[ending]) ?? 'application/octet-stream',
    // A hidden page must not be read on from a cache: everything that can change is asked for again each time.
    cacheControl: isHashNamed(path) ? 'public, max-age=31536000, immutable' : 'no-cache',
  }
}
