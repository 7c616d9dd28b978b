import { ARTICLE_LIMITS, articleFields, normaliseTag } from '../kinds/article.ts'
import type { Fields } from '../ledger/document.ts'
import type { Form } from './form.ts'

/** The text of an article form as it stands in its fields. */
export interface ArticleInput {
  title: string
  author: string
  summary: string
  body: string
  tags: string
  language: string
}

/** The form's fields checked: what would be saved, and what is wrong by field. */
export interface CheckedInput {
  fields: Fields
  errors: Partial<Record<keyof ArticleInput, string>>
}

const NAMES = {
  title: 'The title',
  author: 'The name',
  summary: 'The summary',
  body: 'The text',
  tags: 'The list of tags',
  language: 'The language',
}

export function readInput(form: Form): ArticleInput {
  const get = (name: string) => form.get(name) ?? ''
  return {
    title: get('title'),
    author: get('author'),
    summary: get('summary'),
    body: get('body'),
    tags: get('tags'),
    language: get('language'),
  }
}

/** What a form shows for an item's fields. */
export function inputOf(fields: Fields): ArticleInput {
  const get = (name: string) => (typeof fields[name] === 'string' ? fields[name] : '')
  return {
    title: get('title'),
    author: get('author'),
    summary: get('summary'),
    body: get('body'),
    tags: Array.isArray(fields.tags) ? fields.tags.map(String).join(', ') : '',
    language: get('language'),
  }
}

/**
 * Makes an article's fields of what was typed: one line where one line is meant, composed Unicode in names and tags.
 *
 * @param before fields of the version that is edited; those that the form does not show are kept
 */
export function checkInput(input: ArticleInput, before: Fields = {}): CheckedInput {
  const { author: _, summary: __, ...kept } = before
  const author = oneLine(input.author)
  const summary = input.summary.trim()
  const fields = {
    ...kept,
    title: oneLine(input.title),
    ...(author === '' ? {} : { author }),
    ...(summary === '' ? {} : { summary }),
    body: input.body.trim(),
    tags: [...new Set(input.tags.split(/[,،、;\n]/u).map(normaliseTag))].filter((tag) => tag !== '').sort(),
    language: input.language.trim(),
  }
  const parsed = articleFields.safeParse(fields)
  const errors: CheckedInput['errors'] = {}
  for (const issue of parsed.success ? [] : parsed.error.issues) {
    const field = issue.path[0] as keyof ArticleInput
    const tooLong =
      field === 'tags' && issue.path.length > 1 ? `has a tag that ${issue.message}` : issue.message
    errors[field] ??= `${NAMES[field]} ${tooLong}.`
  }
  return { fields, errors }
}

/** Limits that the form's fields show to the browser. */
export const INPUT_LIMITS = ARTICLE_LIMITS

function oneLine(text: string): string {
  return text.normalize('NFC').replaceAll(/\s+/gu, ' ').trim()
}
