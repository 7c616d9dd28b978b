import { transitionsOf, type Transition } from '../zone.ts'
import { contentLine } from './content-line.ts'

/**
 * The VTIMEZONE of a zone for the local times from `first` to `last`: each change of its clocks as an observance of its
 * own, from the same data that this node computes with. Empty for a zone that this machine does not know.
 */
export function timeZoneComponent(zone: string, first: string, last: string): string {
  const transitions = transitionsOf(zone, first, last)
  if (transitions.length === 0) return ''
  return [
    contentLine('BEGIN', 'VTIMEZONE'),
    contentLine('TZID', zone),
    ...transitions.map(observance),
    contentLine('END', 'VTIMEZONE'),
  ].join('')
}

function observance({ at, from, to }: Transition): string {
  // The names say no more than whether the clock went forward: offsets alone decide what it shows.
  const name = to > from ? 'DAYLIGHT' : 'STANDARD'
  return [
    contentLine('BEGIN', name),
    contentLine('DTSTART', at.replaceAll(/[-:]/gu, '')),
    contentLine('TZOFFSETFROM', offset(from)),
    contentLine('TZOFFSETTO', offset(to)),
    contentLine('END', name),
  ].join('')
}

/** "+0100", with seconds where a zone had them. */
function offset(seconds: number): string {
  const [size, sign] = [Math.abs(seconds), seconds < 0 ? '-' : '+']
  const parts = [Math.floor(size / 3600), Math.floor(size / 60) % 60, size % 60]
  const digits = parts.map((part) => String(part).padStart(2, '0'))
  return sign + (size % 60 === 0 ? digits.slice(0, 2) : digits).join('')
}
