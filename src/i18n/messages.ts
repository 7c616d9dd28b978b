import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'

/** The languages that the interface speaks. The first one has every message; the others fall back to it. */
export const LANGUAGES = ['en', 'es', 'de', 'fr', 'ar'] as const

export type Language = (typeof LANGUAGES)[number]

/** Messages by their path, such as "nav.newswire". */
export type Messages = ReadonlyMap<string, string>

/** The messages of a language as its file has them. */
export function readMessages(language: Language): Messages {
  const text = readFileSync(join(import.meta.dirname, 'messages', `${language}.yaml`), 'utf8')
  return new Map(flatten(parse(text) as object, ''))
}

const known = new Map<Language, Messages>()

/** The messages of a language. Its file is read when somebody first asks: that takes longer than all else of a command. */
export function messagesOf(language: Language): Messages {
  const messages = known.get(language) ?? readMessages(language)
  known.set(language, messages)
  return messages
}

export function isLanguage(text: string): text is Language {
  return (LANGUAGES as readonly string[]).includes(text)
}

function* flatten(values: object, prefix: string): Generator<[string, string]> {
  for (const [name, value] of Object.entries(values) as [string, unknown][]) {
    const path = prefix === '' ? name : `${prefix}.${name}`
    if (typeof value === 'object' && value !== null) yield* flatten(value, path)
    else yield [path, String(value)]
  }
}
