import { isLanguage, LANGUAGES } from './messages.ts'
import type { Language } from './messages.ts'

const MOST_READ = 20

/**
 * The language of the interface that suits an `Accept-Language` header best (RFC 9110, section 12.5.4): of the ranges
 * in order of weight the first whose primary language is spoken here, else `fallback`.
 */
export function chooseLanguage(header: string, fallback: string): Language {
  const ranges = header
    .split(',', MOST_READ)
    .map((range) => {
      const [tag = '', ...parameters] = range
        .trim()
        .toLowerCase()
        .split(/\s*;\s*/)
      const weight = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2)
      return { primary: tag.split('-')[0] ?? '', weight: weight === undefined ? 1 : Number(weight) }
    })
    .filter(({ weight }) => weight > 0)
    .sort((a, b) => b.weight - a.weight)
  for (const { primary } of ranges) if (isLanguage(primary)) return primary
  const own = fallback.toLowerCase().split('-')[0] ?? ''
  return isLanguage(own) ? own : LANGUAGES[0]
}

/** An address that names a language for the interface, `/es/newswire`: the language, and the address without it. */
export function languageInPath(path: string): { language: Language; rest: string } | undefined {
  const [, language = '', rest = ''] = /^\/([a-z]{2})(\/.*)?$/.exec(path) ?? []
  return isLanguage(language) ? { language, rest: rest === '' ? '/' : rest } : undefined
}
