import { Temporal } from 'temporal-polyfill'
import { MINUTES_A_DAY, minutesOf, wallTimeOf } from './wall-time.ts'

const NAME = /^[A-Z][A-Za-z0-9_+-]{1,29}(\/[A-Z][A-Za-z0-9_+-]{0,29}){0,2}$/u

/** Whether a text looks like an IANA time zone's name, whatever this machine's data know. */
export function isZoneName(text: string): boolean {
  return NAME.test(text)
}

/** The zones that were asked for and exist, by their exact names: some 600 at the most. */
const known = new Set<string>()

/**
 * Whether this machine's time zone data have a zone of just this name. Names in other letters ("europe/berlin") are no
 * names: one zone has one spelling in the ledger.
 */
export function isKnownZone(text: string): boolean {
  if (known.has(text)) return true
  if (!isZoneName(text)) return false
  try {
    if (new Temporal.ZonedDateTime(0n, text).timeZoneId !== text) return false
  } catch {
    return false
  }
  known.add(text)
  return true
}

/**
 * The instant of a local time (or of a day's beginning) in a zone, as UTC with milliseconds, the form of JavaScript's
 * `toISOString`, and what the clocks show then. RFC 5545, 3.3.5: a time that the clock jumps over counts with the
 * offset before the gap, so that it moves forward; of a time that comes twice the first is meant. A zone that this
 * machine does not know counts as UTC.
 */
export function momentOf(wall: string, zone: string): { instant: string; wall: string } {
  const minutes = minutesOf(wall)
  if (!isKnownZone(zone)) return { instant: isoOf(minutes * 60_000), wall: wallTimeOf(minutes) }
  const moment = Temporal.PlainDateTime.from(wall).toZonedDateTime(zone, { disambiguation: 'compatible' })
  const { epochMilliseconds, offsetNanoseconds } = moment
  const shown = new Date(epochMilliseconds + offsetNanoseconds / 1_000_000)
  return { instant: isoOf(epochMilliseconds), wall: shown.toISOString().slice(0, 16) }
}

/** The instant of {@link momentOf}. */
export function instantOf(wall: string, zone: string): string {
  return momentOf(wall, zone).instant
}

/** The local time that the clocks of a zone show at an instant. */
export function wallTimeIn(zone: string, instant: string): string {
  return Temporal.Instant.from(instant)
    .toZonedDateTimeISO(isKnownZone(zone) ? zone : 'UTC')
    .toPlainDateTime()
    .toString({ smallestUnit: 'minute' })
}

/** One change of a zone's clocks. */
export interface Transition {
  /** Local time at which it happens, by the clock before it: "2026-03-29T02:00:00". */
  at: string
  /** Offsets from UTC in seconds. */
  from: number
  to: number
}

/** The change in force at `first` (local time), and those that follow until `last`; empty for an unknown zone. */
export function transitionsOf(zone: string, first: string, last: string): Transition[] {
  if (!isKnownZone(zone)) return []
  // A day on either side keeps clear of every offset.
  const start = Temporal.Instant.from(instantOf(wallTimeOf(minutesOf(first) - MINUTES_A_DAY), 'UTC'))
  const end = Temporal.Instant.from(instantOf(wallTimeOf(minutesOf(last) + MINUTES_A_DAY), 'UTC'))
  const begin = start.toZonedDateTimeISO(zone)
  let next = begin.getTimeZoneTransition('previous')
  const transitions: Transition[] = []
  if (!next) {
    const offset = seconds(begin)
    transitions.push({ at: '1900-01-01T00:00:00', from: offset, to: offset })
    next = begin.getTimeZoneTransition('next')
  }
  while (next && Temporal.Instant.compare(next.toInstant(), end) <= 0) {
    const from = seconds(next.subtract({ nanoseconds: 1 }))
    const at = new Date(next.epochMilliseconds + from * 1000).toISOString().slice(0, 19)
    transitions.push({ at, from, to: seconds(next) })
    next = next.getTimeZoneTransition('next')
  }
  return transitions
}

function isoOf(epochMilliseconds: number): string {
  return new Date(epochMilliseconds).toISOString()
}

function seconds(moment: Temporal.ZonedDateTime): number {
  return moment.offsetNanoseconds / 1_000_000_000
}
