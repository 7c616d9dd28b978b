import { InvalidArgumentError } from 'commander'
import type { Usage } from '../../media/keep/usage.ts'
import { isSha256 } from '../../ledger/manifest.ts'

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB']

/** So many bytes as a terminal shows them, by thousands. */
export function size(bytes: number): string {
  const step = Math.min(Math.floor(Math.log10(Math.max(bytes, 1)) / 3), UNITS.length - 1)
  const value = bytes / 1000 ** step
  return `${value.toFixed(value < 10 && step > 0 ? 1 : 0)} ${UNITS[step] ?? ''}`
}

/** "1 file", "2 files" */
export function countOf(count: number): string {
  return `${count} file${count === 1 ? '' : 's'}`
}

/** The digest of a file that is named by it, or by its address. */
export function digestNamed(text: string): string {
  const [digest] = /[0-9a-f]{64}(?![0-9a-f])/.exec(text) ?? []
  if (isSha256(digest) && (text === digest || text.includes(`/files/${digest}.`))) return digest
  throw new InvalidArgumentError(
    'is neither the digest of a file (64 hexadecimal digits) nor its address on a node.',
  )
}

/** What files use in lines for a terminal. */
export function describeUsage(usage: Usage | undefined, isWhole: boolean): string[] {
  if (!usage) return isWhole ? ['files             not looked at yet'] : []
  const { atMs, here, missing, orphans } = usage
  return [
    ...(isWhole
      ? [`files             ${here.files} are here, ${size(here.bytes)}; ${missing.files} are missing`]
      : []),
    ...(orphans.files > 0
      ? [
          `  nothing names ${orphans.files} of them, ${size(orphans.bytes)}, as of ${new Date(atMs).toISOString()}`,
        ]
      : []),
  ]
}

/** For an option that may be given once for each file. */
export function digestsNamed(text: string, before: readonly string[] = []): string[] {
  return [...before, digestNamed(text)]
}

export function wholeNumber(text: string): number {
  const number = Number(text)
  if (!/^\d{1,9}$/.test(text) || number < 1) throw new InvalidArgumentError('must be a whole number above 0.')
  return number
}
