/** What a file is treated as when it is cleaned; each has a module of its own. */
export type Family = 'image' | 'sound' | 'video' | 'pdf' | 'office' | 'text' | 'captions' | 'svg'

interface Accepted {
  family: Family
  /** How the cleaned file's name ends, without a dot. Where the output depends on the content, the module decides. */
  extension: string
  /** ffmpeg's name of the container, which is given to it, so that it never guesses. */
  container?: string
}

const OFFICE = 'application/vnd.openxmlformats-officedocument'
const OPEN = 'application/vnd.oasis.opendocument'

/** Types by content that are accepted; everything else is refused. */
export const ACCEPTED: Readonly<Record<string, Accepted>> = {
  'image/jpeg': { family: 'image', extension: 'jpg' },
  'image/png': { family: 'image', extension: 'png' },
  'image/apng': { family: 'image', extension: 'png' },
  'image/webp': { family: 'image', extension: 'webp' },
  'image/avif': { family: 'image', extension: 'webp' },
  'image/gif': { family: 'image', extension: 'png' },
  'audio/mpeg': { family: 'sound', extension: 'mp3', container: 'mp3' },
  'audio/ogg': { family: 'sound', extension: 'ogg', container: 'ogg' },
  'audio/mp4': { family: 'sound', extension: 'm4a', container: 'mov' },
  'audio/aac': { family: 'sound', extension: 'm4a', container: 'aac' },
  'audio/flac': { family: 'sound', extension: 'flac', container: 'flac' },
  'audio/wav': { family: 'sound', extension: 'wav', container: 'wav' },
  'video/mp4': { family: 'video', extension: 'mp4', container: 'mov' },
  'video/quicktime': { family: 'video', extension: 'mp4', container: 'mov' },
  'video/webm': { family: 'video', extension: 'webm', container: 'matroska' },
  'video/matroska': { family: 'video', extension: 'mkv', container: 'matroska' },
  'application/pdf': { family: 'pdf', extension: 'pdf' },
  [`${OPEN}.text`]: { family: 'office', extension: 'odt' },
  [`${OPEN}.spreadsheet`]: { family: 'office', extension: 'ods' },
  [`${OPEN}.presentation`]: { family: 'office', extension: 'odp' },
  [`${OFFICE}.wordprocessingml.document`]: { family: 'office', extension: 'docx' },
  [`${OFFICE}.spreadsheetml.sheet`]: { family: 'office', extension: 'xlsx' },
  [`${OFFICE}.presentationml.presentation`]: { family: 'office', extension: 'pptx' },
  'text/plain': { family: 'text', extension: 'txt' },
  'text/csv': { family: 'text', extension: 'csv' },
  'text/vtt': { family: 'captions', extension: 'vtt' },
  'image/svg+xml': { family: 'svg', extension: 'svg' },
}

/** Other names of accepted types, as detectors give them. */
export const SAME_AS: Readonly<Record<string, string>> = {
  'audio/x-m4a': 'audio/mp4',
  'audio/x-flac': 'audio/flac',
  'audio/vnd.wave': 'audio/wav',
  'audio/x-wav': 'audio/wav',
  'audio/opus': 'audio/ogg',
  'video/x-m4v': 'video/mp4',
  'video/3gpp': 'video/mp4',
  'video/3gpp2': 'video/mp4',
  'video/x-matroska': 'video/matroska',
}

/** What an accepted type is treated as. */
export function acceptedAs(type: string): Accepted {
  const accepted = ACCEPTED[type]
  if (!accepted) throw new Error(`${type} is not accepted`)
  return accepted
}
