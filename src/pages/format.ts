import { wallTime } from '../ledger/clock.ts'

const RIGHT_TO_LEFT = new Set([
  'ar',
  'arc',
  'ckb',
  'dv',
  'fa',
  'ha-arab',
  'he',
  'ks',
  'ku-arab',
  'ps',
  'sd',
  'syr',
  'ug',
  'ur',
  'yi',
])
const MONTHS = 'January February March April May June July August September October November December'.split(
  ' ',
)

/** A moment for a page: the machine's form and the reader's. */
export interface Moment {
  iso: string
  /** "3 October 2026, 18:20 UTC" */
  text: string
  /** "3 October 2026" */
  day: string
}

/** A hybrid time as a reader sees it. Always UTC, so that the same page is the same everywhere. */
export function moment(at: string): Moment {
  const date = new Date(wallTime(at))
  const day = `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()] ?? ''} ${date.getUTCFullYear()}`
  const iso = date.toISOString()
  return { iso, day, text: `${day}, ${iso.slice(11, 16)} UTC` }
}

/** The direction in which a language (BCP 47) is written. */
export function directionOf(language: string): 'rtl' | 'ltr' {
  const lower = language.toLowerCase()
  return RIGHT_TO_LEFT.has(lower.split('-')[0] ?? '') ||
    RIGHT_TO_LEFT.has(lower) ||
    /-(arab|hebr)\b/.test(lower)
    ? 'rtl'
    : 'ltr'
}

const names = new Intl.DisplayNames(['en'], { type: 'language', fallback: 'code' })

/** A language's name in English, or its code when it has none. */
export function languageName(language: string): string {
  try {
    return names.of(language) ?? language
  } catch {
    return language
  }
}
