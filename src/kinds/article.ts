import { z } from 'zod'
import type { Kind } from './kind.ts'

export const ARTICLE_LIMITS = {
  title: 200,
  author: 100,
  summary: 2_000,
  body: 1_000_000,
  tags: 20,
  tag: 50,
  language: 35,
} as const

const line = (longest: number) =>
  z
    .string()
    .max(longest, `is longer than ${longest} characters`)
    // eslint-disable-next-line no-control-regex -- control characters are just what must not be in a line
    .regex(/^[^\u0000-\u001f\u007f]*$/u, 'has line breaks or control characters')

/** The fields of an article, as they stand in an edit. */
export const articleFields = z.looseObject({
  title: line(ARTICLE_LIMITS.title).regex(/\S/u, 'is missing'),
  /** Free text, as the author wishes to be called; absent for none. */
  author: line(ARTICLE_LIMITS.author).optional(),
  summary: z
    .string()
    .max(ARTICLE_LIMITS.summary, `is longer than ${ARTICLE_LIMITS.summary} characters`)
    .optional(),
  /** Markdown. */
  body: z
    .string()
    .max(ARTICLE_LIMITS.body, `is longer than ${ARTICLE_LIMITS.body} characters`)
    .regex(/\S/u, 'is missing'),
  /** Normalised by `normaliseTag`, sorted. */
  tags: z
    .array(line(ARTICLE_LIMITS.tag).min(1))
    .max(ARTICLE_LIMITS.tags, `has more than ${ARTICLE_LIMITS.tags} tags`),
  /** BCP 47. */
  language: z
    .string()
    .max(ARTICLE_LIMITS.language)
    .regex(/^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$/u, 'is not a language tag such as "en" or "pt-BR"'),
})

export type ArticleFields = z.infer<typeof articleFields>

export const article: Kind = {
  name: 'article',
  path: 'articles',
  schema: articleFields,
  strategies: {
    title: 'text',
    author: 'latest',
    summary: 'text',
    body: 'text',
    tags: 'set',
    language: 'latest',
  },
  listing(fields) {
    const { title, summary = '', author, tags, language } = fields as ArticleFields
    return { title, summary, ...(author ? { author } : {}), tags, language }
  },
}

/** A tag in the form in which it is stored, compared and put into addresses: NFC, lower case, single spaces. */
export function normaliseTag(text: string): string {
  return text
    .normalize('NFC')
    .toLowerCase()
    .replaceAll(/[\s,]+/gu, ' ')
    .trim()
}
