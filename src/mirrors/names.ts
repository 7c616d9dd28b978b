/** The folder at a target that is the mirror's own: its manifest. */
export const OWN_FOLDER = '.hyperactive'

/** Temporary names in a folder; what a killed process left there is ours to remove. */
const TEMPORARY = /^\.hyperactive-[0-9a-f]{16}\.new$/

const LONGEST_BYTES = 1000
const LONGEST_SEGMENT_BYTES = 240
/** Control characters, and the backslash, which some systems take for a slash. */
const UNFIT = /[\p{Cc}\u2028\u2029\\]/u

/**
 * What is wrong with the name of a file that is to be sent, or that a target says it has; undefined for a name that
 * can only mean a file below the place that it is relative to, on every kind of target. Pure.
 */
export function nameProblem(path: string): string | undefined {
  if (path === '') return 'is empty'
  if (Buffer.byteLength(path) > LONGEST_BYTES) return 'is too long'
  if (!path.isWellFormed()) return 'is not text'
  if (UNFIT.test(path)) return 'holds a control character or a backslash'
  if (path.startsWith('-')) return 'begins with "-"'
  const segments = path.split('/')
  if (segments.some((segment) => segment === '' || segment === '.' || segment === '..'))
    return 'is not a relative path'
  if (segments.some((segment) => Buffer.byteLength(segment) > LONGEST_SEGMENT_BYTES)) return 'is too long'
  return undefined
}

/** Whether a file of a produced site may be sent under its name: as above, and not over the mirror's own files. */
export function siteNameProblem(path: string): string | undefined {
  return isOwn(path) ? "is one of the mirror's own" : nameProblem(path)
}

/** Whether it is the mirror's own: its manifest, or a half-written file. */
export function isOwn(path: string): boolean {
  return path.startsWith(`${OWN_FOLDER}/`) || TEMPORARY.test(path.slice(path.lastIndexOf('/') + 1))
}

/** Pictures, sound, film and other files of items, whose names are digests of what they hold. */
export function isMedia(path: string): boolean {
  return /^files\/[0-9a-f]{64}\.[a-z0-9]{1,8}$/.test(path)
}

/** Style sheets, scripts and the like, whose names change with their content: never another content under one name. */
export function isHashNamed(path: string): boolean {
  return /(^|\/)assets\/[^/]+-[0-9a-f]{12,64}\.[a-z0-9]+$/.test(path)
}
