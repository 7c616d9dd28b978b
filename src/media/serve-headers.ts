import contentDisposition from 'content-disposition'
import { ACCEPTED } from './clean/types.ts'

/** Types that a browser shows or plays where they stand; SVG can run scripts, so it is not among them. */
const SHOWN = /^(?:image\/(?:jpeg|png|webp|avif|gif)|audio\/[\w.+-]+|video\/[\w.+-]+)$/
/**
 * Types of files that are saved, and of playlists. A document of a peer may name any other: a script or style sheet, which
 * pages of this site would take for their own.
 */
const SAVED = new Set([...Object.keys(ACCEPTED), 'application/vnd.apple.mpegurl'])
const UNKNOWN = 'application/octet-stream'
/** Nothing in the file may load or run anything, not even as its own site. */
const POLICY = "default-src 'none'; sandbox"
/**
 * A browser that opens such a file by its own address makes a page around it, which has styles and, for sound and video,
 * asks for the file again: as the site that it came from, or it would not get it.
 */
const PICTURE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
const PLAYER_POLICY =
  "default-src 'none'; media-src 'self'; style-src 'unsafe-inline'; sandbox allow-same-origin"
const LONGEST_NAME = 150

/** A file as it is offered. */
export interface Served {
  type: string
  /** What it is called by who published it; anything may stand in it. */
  name?: string | undefined
  /** How its name ends, whatever it was called. */
  extension: string
}

/**
 * A file name that says the truth: without path, control and direction characters (a name can otherwise read backwards),
 * and with the extension of what the file is.
 */
export function servedName({ name = '', extension }: Omit<Served, 'type'> & Partial<Served>): string {
  const last = name.toWellFormed().split(/[\\/]/).at(-1) ?? ''
  const plain = last
    .replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}"<>|:*?]/gu, '')
    .trim()
    .replace(/\.[A-Za-z0-9]{1,5}$/, '')
    .replaceAll(/^[.\s]+|[.\s]+$/g, '')
  const short = Array.from(plain).slice(0, LONGEST_NAME).join('')
  return `${short === '' ? 'file' : short}.${extension}`
}

function policyOf(type: string): string {
  if (!SHOWN.test(type)) return POLICY
  return type.startsWith('image/') ? PICTURE_POLICY : PLAYER_POLICY
}

/**
 * The headers that a media file is served with: its type as it was found where it is one that is
 * accepted, which the browser must not guess again; a policy of its own; and "save" instead of "show" for all that is not a picture, sound or video (RFC 6266, RFC 8187).
 */
export function serveHeaders(served: Served): Record<string, string> {
  const known = SHOWN.test(served.type) || SAVED.has(served.type) ? served.type : UNKNOWN
  const type = known.startsWith('text/') ? `${known}; charset=utf-8` : known
  return {
    'Content-Type': type,
    'X-Content-Type-Options': 'nosniff',
    'Content-Security-Policy': policyOf(served.type),
    'Content-Disposition': contentDisposition(servedName(served), {
      type: SHOWN.test(served.type) ? 'inline' : 'attachment',
    }),
  }
}
