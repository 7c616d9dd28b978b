import { isDayTime, toldTime } from '../ledger/clock.ts'
import { kindOf } from '../kinds/base/registry.ts'
import { directionOf } from './direction.ts'
import { messagesOf } from './messages.ts'
import type { Language } from './messages.ts'

/** How many times of items are remembered as a page says them. */
const MOST_MOMENTS = 3000

const BYTE_UNITS = ['byte', 'kilobyte', 'megabyte', 'gigabyte']

type Values = Readonly<Record<string, string | number>>

/** A moment for a page: the machine's form and the reader's. */
export interface Moment {
  readonly iso: string
  /** "3 October 2026 at 18:20 UTC", or the day alone */
  readonly text: string
  /** "3 October 2026" */
  readonly day: string
}

/**
 * What a page says in one language. Messages may hold `{name}` for values; a message with the forms `one`, `other` and
 * whatever else the language has is chosen by `{count}`, by the plural rules of CLDR.
 */
export class Wording {
  readonly language: Language
  readonly direction: 'ltr' | 'rtl'
  readonly #plurals: Intl.PluralRules
  readonly #numbers: Intl.NumberFormat
  readonly #names: Intl.DisplayNames
  readonly #formats = new Map<string, Intl.DateTimeFormat>()
  /** An item stands in many listings, each time with the same words. */
  readonly #moments = new Map<string, Moment>()

  constructor(language: Language) {
    this.language = language
    this.direction = directionOf(language)
    this.#plurals = new Intl.PluralRules(language)
    this.#numbers = new Intl.NumberFormat(language)
    this.#names = new Intl.DisplayNames([language], { type: 'language', fallback: 'code' })
  }

  /** A message by its path; its English where the language has none, its path where there is none at all. */
  t = (path: string, values: Values = {}): string => {
    const message = this.#find(path, values) ?? wordingOf('en').find(path, values) ?? path
    return message.replaceAll(/\{(\w+)\}/g, (whole, name: string) => {
      const value = values[name]
      return value === undefined ? whole : typeof value === 'number' ? this.#numbers.format(value) : value
    })
  }

  /** The forms of a message for numbers, by CLDR's names for them, as they stand: a page's script chooses. */
  forms = (path: string): Record<string, string> => {
    const messages = messagesOf(this.language)
    const { pluralCategories } = this.#plurals.resolvedOptions()
    return Object.fromEntries(
      pluralCategories.flatMap((form) => {
        const text = messages.get(`${path}.${form}`)
        return text === undefined ? [] : [[form, text]]
      }),
    )
  }

  /** Whether this language itself, or English, has a message. */
  find(path: string, values: Values): string | undefined {
    return this.#find(path, values)
  }

  /** What a kind is called, alone or many. A kind that the message files do not know says so itself. */
  kind = (name: string, form: 'one' | 'many' = 'one'): string => {
    const path = `kind.${name}.${form}`
    const found = this.t(path)
    return found === path ? (kindOf(name)?.words?.[form] ?? name) : found
  }

  /** What a field of a kind is called in its form. */
  field = (kind: string, field: string): string => {
    const own = this.#find(`kind.${kind}.${field}`, {}) ?? this.#find(`field.${field}`, {})
    const english = kindOf(kind)?.words?.fields?.[field]
    return own ?? english ?? this.t(`field.${field}`)
  }

  /** A hint below a field's name, or nothing. */
  hint = (kind: string, field: string): string => {
    const path = `hint.${kind}.${field}`
    const own = this.t(path)
    if (own !== path) return own
    const common = this.t(`hint.${field}`)
    return common === `hint.${field}` ? '' : common
  }

  /** So many bytes, as a reader takes them in: "3.4 MB", by thousands. */
  bytes = (bytes: number): string => {
    const step = Math.min(Math.max(Math.floor(Math.log10(Math.max(bytes, 1)) / 3), 0), BYTE_UNITS.length - 1)
    const value = bytes / 1000 ** step
    const unit = BYTE_UNITS[step] ?? 'byte'
    const maximumFractionDigits = value < 10 && step > 0 ? 1 : 0
    return new Intl.NumberFormat(this.language, { style: 'unit', unit, maximumFractionDigits }).format(value)
  }

  /** A language's name in this language, or its code when it has none. */
  languageName = (language: string): string => {
    try {
      return this.#names.of(language) ?? language
    } catch {
      return language
    }
  }

  /**
   * A hybrid time as a reader sees it. Always UTC, so that the same page is the same everywhere.
   *
   * @param dayOnly leaves the time of the day out, as is done where the time itself holds no more
   */
  moment = (at: string, dayOnly = false): Moment => {
    const key = `${at} ${dayOnly}`
    const known = this.#moments.get(key)
    if (known) return known
    const moment = this.#momentOf(at, dayOnly)
    if (this.#moments.size >= MOST_MOMENTS) this.#moments.clear()
    this.#moments.set(key, moment)
    return moment
  }

  #momentOf(at: string, dayOnly: boolean): Moment {
    const isDay = dayOnly || isDayTime(at)
    const date = new Date(toldTime(at, isDay))
    const iso = date.toISOString()
    const day = this.format(date, { dateStyle: 'long' })
    if (isDay) return { iso: iso.slice(0, 10), day, text: day }
    return { iso, day, text: `${this.format(date, { dateStyle: 'long', timeStyle: 'short' })} UTC` }
  }

  /** A date in this language; UTC unless a zone is named. */
  format = (date: Date, options: Intl.DateTimeFormatOptions): string => this.#formatOf(options).format(date)

  /** From one time to another, without saying twice what they share. */
  formatRange = (from: Date, to: Date, options: Intl.DateTimeFormatOptions): string =>
    this.#formatOf(options).formatRange(from, to)

  #formatOf(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
    const key = JSON.stringify(options)
    let format = this.#formats.get(key)
    if (!format) {
      if (this.#formats.size > 500) this.#formats.clear()
      format = new Intl.DateTimeFormat(this.language === 'en' ? 'en-GB' : this.language, {
        timeZone: 'UTC',
        ...options,
      })
      this.#formats.set(key, format)
    }
    return format
  }

  #find(path: string, values: Values): string | undefined {
    const messages = messagesOf(this.language)
    const plain = messages.get(path)
    if (plain !== undefined || typeof values.count !== 'number') return plain
    return messages.get(`${path}.${this.#plurals.select(values.count)}`) ?? messages.get(`${path}.other`)
  }
}

const wordings = new Map<Language, Wording>()

/** What pages say in a language. */
export function wordingOf(language: Language): Wording {
  const wording = wordings.get(language) ?? new Wording(language)
  wordings.set(language, wording)
  return wording
}
