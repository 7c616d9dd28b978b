import { MEDIA_LIMITS } from '../../ledger/media.ts'

/** A file's name as it may stand in a document: without a path, in one line, not too long, with its ending. */
export function tidyName(sent: string): string {
  const base = sent.split(/[/\\]/u).at(-1) ?? ''
  const line = base
    .normalize('NFC')
    // eslint-disable-next-line no-control-regex -- control characters are just what must not be in a name
    .replaceAll(/[\u0000-\u001f\u007f\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, ' ')
    .replaceAll(/\s+/gu, ' ')
    .trim()
  if (line.length <= MEDIA_LIMITS.name) return line
  const dot = line.lastIndexOf('.')
  const ending = dot > 0 && line.length - dot <= 10 ? line.slice(dot) : ''
  return (
    Array.from(line)
      .slice(0, MEDIA_LIMITS.name / 2)
      .join('')
      .trimEnd() + ending
  )
}
