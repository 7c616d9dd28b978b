import { EVENT_LIMITS } from './fields.ts'
import { isDay, isWallTime } from './wall-time.ts'

/** An RRULE of the parts that events take, checked part by part. */
export interface Rule {
  freq: 'DAILY' | 'WEEKLY' | 'MONTHLY' | 'YEARLY'
  /** Every part but COUNT and UNTIL, as written. */
  parts: ReadonlyMap<string, string>
  count?: number
  until?: Until
}

/** The end of a rule: a day, all of which counts; a local time; or an instant (local time of UTC). */
export interface Until {
  form: 'day' | 'local' | 'utc'
  /** "2026-11-23", or "2026-11-23T19:00". */
  at: string
}

const FREQUENCIES: ReadonlySet<string> = new Set(['DAILY', 'WEEKLY', 'MONTHLY', 'YEARLY'])
const WEEKDAY = 'MO|TU|WE|TH|FR|SA|SU'
const upTo = (number: string, sign = '-?') => list(`${sign}0{0,2}(?:${number})`)
const list = (one: string) => new RegExp(`^(?:${one})(?:,(?:${one}))*$`, 'u')

/** RFC 5545, 3.3.10, without the parts of an hour: what each part may hold, and the frequencies that know it. */
const PARTS: Readonly<Record<string, { value: RegExp; freq?: readonly string[] }>> = {
  FREQ: { value: /^[A-Z]+$/u },
  INTERVAL: { value: /^0*[1-9]\d{0,3}$/u },
  COUNT: { value: /^0*[1-9]\d{0,5}$/u },
  UNTIL: { value: /^\d{8}(T\d{6}Z?)?$/u },
  BYMONTH: { value: upTo('[1-9]|1[0-2]', '') },
  BYMONTHDAY: { value: upTo('[1-9]|[12]\\d|3[01]'), freq: ['DAILY', 'MONTHLY', 'YEARLY'] },
  BYYEARDAY: { value: upTo('[1-9]\\d?|[12]\\d\\d|3[0-5]\\d|36[0-6]'), freq: ['YEARLY'] },
  BYWEEKNO: { value: upTo('[1-9]|[1-4]\\d|5[0-3]'), freq: ['YEARLY'] },
  BYDAY: { value: list(`(?:[+-]?0?(?:[1-9]|[1-4]\\d|5[0-3]))?(?:${WEEKDAY})`) },
  BYSETPOS: { value: upTo('[1-9]\\d?|[12]\\d\\d|3[0-5]\\d|36[0-6]') },
  WKST: { value: list(WEEKDAY) },
}

/** Reads an RRULE's value; a text says what is wrong with it, as the end of a sentence. */
export function readRule(text: string): Rule | string {
  if (text.length > EVENT_LIMITS.rrule) return `is longer than ${EVENT_LIMITS.rrule} characters`
  const parts = new Map<string, string>()
  for (const part of text.split(';')) {
    const [, name, value] = /^([A-Z-]+)=([A-Z0-9,+-]+)$/u.exec(part) ?? []
    if (!name || !value) return 'is not a rule such as FREQ=WEEKLY;UNTIL=20261231'
    if (parts.has(name)) return `has ${name} twice`
    if (!Object.hasOwn(PARTS, name)) return `has a part that is not taken: ${name.slice(0, 20)}`
    if (!PARTS[name]?.value.test(value)) return `has a ${name} that is not right`
    parts.set(name, value)
  }
  return combine(parts)
}

function combine(parts: Map<string, string>): Rule | string {
  const freq = parts.get('FREQ')
  if (!freq) return 'has no FREQ'
  if (!FREQUENCIES.has(freq)) return 'repeats neither by days, weeks, months nor years'
  for (const name of parts.keys()) {
    if (PARTS[name]?.freq?.includes(freq) === false) return `has ${name}, which FREQ=${freq} does not know`
  }
  if (/\d/u.test(parts.get('BYDAY') ?? '') && (!/^(MONTH|YEAR)LY$/u.test(freq) || parts.has('BYWEEKNO')))
    return 'has a number in BYDAY, which only a month or a year can count'
  if (parts.has('BYSETPOS') && ![...parts.keys()].some((name) => /^BY(?!SETPOS)/u.test(name)))
    return 'has BYSETPOS without another BY part'
  // The library tries each of the one with each of the other, in years of every sort.
  if (parts.has('BYYEARDAY') && parts.has('BYWEEKNO'))
    return 'has BYYEARDAY and BYWEEKNO, of which one is taken at a time'
  return withEnd(freq as Rule['freq'], parts)
}

function withEnd(freq: Rule['freq'], parts: Map<string, string>): Rule | string {
  const [count, until] = [parts.get('COUNT'), parts.get('UNTIL')]
  parts.delete('COUNT')
  parts.delete('UNTIL')
  if (count && until) return 'has COUNT and UNTIL, which exclude each other'
  if (count) return { freq, parts, count: Number(count) }
  if (!until) return 'never ends: it needs UNTIL or COUNT'
  const read = readUntil(until)
  return read ? { freq, parts, until: read } : 'has an UNTIL that is no date'
}

function readUntil(text: string): Until | undefined {
  const day = text.replace(/^(\d{4})(\d\d)(\d\d).*/u, '$1-$2-$3')
  if (text.length === 8) return isDay(day) ? { form: 'day', at: day } : undefined
  const at = `${day}T${text.slice(9, 11)}:${text.slice(11, 13)}`
  if (!isWallTime(at) || !/^[0-5]\d$/u.test(text.slice(13, 15))) return undefined
  return { form: text.endsWith('Z') ? 'utc' : 'local', at }
}
