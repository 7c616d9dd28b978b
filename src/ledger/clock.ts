import { HyperactiveError } from '../errors.ts'

const PATTERN = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)-([0-9a-f]{4})$/
const HIGHEST_COUNT = 0xffff
const DAY_MS = 86_400_000

/** Whether `text` is a hybrid time: ISO 8601 in UTC with milliseconds, a hyphen, four hex digits. Sorts as text. */
export function isHybridTime(text: string): boolean {
  const iso = PATTERN.exec(text)?.[1]
  if (iso === undefined) return false
  const timeMs = Date.parse(iso)
  return !Number.isNaN(timeMs) && new Date(timeMs).toISOString() === iso
}

/** The wall-clock part of a hybrid time, in milliseconds since 1970. */
export function wallTime(at: string): number {
  return Date.parse(at.slice(0, 24))
}

/** The first moment of a day in UTC, in milliseconds since 1970. */
export function dayStart(timeMs: number): number {
  return Math.floor(timeMs / DAY_MS) * DAY_MS
}

/** Whether a hybrid time holds no more than a day. */
export function isDayTime(at: string): boolean {
  return at.slice(10, 24) === 'T00:00:00.000Z'
}

/**
 * A hybrid time that tells the day alone: its first moment in UTC. Where what it has to be later than is later, it is
 * the next time after that, so that the order of the clock holds.
 *
 * @param after hybrid times that come before it
 */
export function dayTime(nowMs: number, after: readonly string[] = []): string {
  const start = hybridTime(dayStart(nowMs))
  const latest = after.reduce((a, b) => (a > b ? a : b), '')
  if (start > latest) return start
  const count = Number.parseInt(latest.slice(25), 16)
  return count < HIGHEST_COUNT ? hybridTime(wallTime(latest), count + 1) : hybridTime(wallTime(latest) + 1)
}

/** What readers are told of a time, in milliseconds since 1970: the day where no more shall be known. */
export function toldTime(at: string, dayOnly: boolean): number {
  return dayOnly ? dayStart(wallTime(at)) : wallTime(at)
}

/** A hybrid time from milliseconds since 1970 and a count; years outside 0000 to 9999 are refused. */
export function hybridTime(timeMs: number, count = 0): string {
  const iso = new Date(timeMs).toISOString()
  if (iso.length !== 24)
    throw new HyperactiveError('date_out_of_range', `${iso} is outside the years 0 to 9999`, { status: 400 })
  return `${iso}-${count.toString(16).padStart(4, '0')}`
}

/**
 * A hybrid logical clock (Kulkarni et al. 2014, "Logical Physical Clocks"): never behind a time it gave or saw, and
 * close to the wall clock. One per process; what it saw is lost at a restart, which is harmless because readers of
 * the ledger feed it again.
 */
export class HybridClock {
  #wallMs: () => number
  #lastMs = 0
  #count = 0

  constructor(wallMs: () => number = Date.now) {
    this.#wallMs = wallMs
  }

  /** A time later than every one given or seen before. */
  now(): string {
    const wallMs = this.#wallMs()
    if (wallMs > this.#lastMs) {
      this.#lastMs = wallMs
      this.#count = 0
    } else if (this.#count === HIGHEST_COUNT) {
      this.#lastMs += 1
      this.#count = 0
    } else {
      this.#count += 1
    }
    return hybridTime(this.#lastMs, this.#count)
  }

  /** Takes note of a time seen in a checked document; the caller has already refused ones far ahead. */
  see(at: string): void {
    const timeMs = wallTime(at)
    const count = Number.parseInt(at.slice(25), 16)
    if (timeMs > this.#lastMs || (timeMs === this.#lastMs && count > this.#count)) {
      this.#lastMs = timeMs
      this.#count = count
    }
  }

  /** How many milliseconds `at` is ahead of the wall clock; negative for the past. */
  aheadMs(at: string): number {
    return wallTime(at) - this.#wallMs()
  }
}
