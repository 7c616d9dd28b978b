import { parseDocument } from 'yaml'
import { kindOf } from '../kinds/base/registry.ts'
import { aliasOf, parseDate, skip } from './piece.ts'
import type { Piece, Read } from './piece.ts'

const FRONT_MATTER = /^---[ \t]*\n([\s\S]*?)\n(?:---|\.\.\.)[ \t]*(?:\n|$)/
const NAME = /^(?:(\d{4}-\d\d-\d\d)-)?(.+?)(?:\.([a-z]{2,3}(?:-[A-Za-z]{2,4})?))?\.(?:md|markdown)$/

/**
 * Reads a Markdown file with YAML front matter as Jekyll and Hugo write it. The date may stand in the front matter or
 * in the file's name; the language in the front matter or, as Hugo has it, before the file's ending.
 *
 * @param source the file's path inside the imported folder
 * @param bytes its content
 */
export function readMarkdown(source: string, bytes: Uint8Array): Read {
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes).replaceAll(/\r\n?/g, '\n')
  } catch {
    return skip(source, 'is not valid UTF-8')
  }
  if (text.startsWith('+++')) return skip(source, 'has TOML front matter; only YAML is read')
  const matter = FRONT_MATTER.exec(text)
  if (!matter) return skip(source, 'has no front matter')
  const document = parseDocument(matter[1] ?? '', { schema: 'core' })
  const problem = document.errors[0]
  if (problem) return skip(source, `front matter: ${problem.message.split('\n')[0] ?? 'is not YAML'}`)
  let front: unknown
  try {
    front = document.toJS({ maxAliasCount: 20 })
  } catch {
    return skip(source, 'front matter: too many aliases')
  }
  if (typeof front !== 'object' || front === null || Array.isArray(front)) {
    return skip(source, 'front matter is not a list of "name: value"')
  }
  return fromFrontMatter(source, front as Record<string, unknown>, text.slice(matter[0].length).trim())
}

/** Fields that are read by themselves, under whatever name. */
const COMMON = new Set([
  'title',
  'author',
  'summary',
  'body',
  'tags',
  'places',
  'language',
  'group',
  'translationOf',
  'aliases',
  'files',
])

function fromFrontMatter(source: string, front: Record<string, unknown>, body: string): Read {
  if (front.draft === true || front.published === false) return skip(source, 'is a draft')
  const fileName = source.split('/').at(-1) ?? source
  const [, dayInName, slug, languageInName] = NAME.exec(fileName) ?? []
  const title = textOf(front.title) ?? titleFromSlug(slug)
  if (!title) return skip(source, 'has no title')
  const kind = textOf(front.kind)
  if (kind !== undefined && !kindOf(kind))
    return skip(source, `is of a kind that is not known: "${kind.slice(0, 30)}"`)
  if (kind === undefined && body === '') return skip(source, 'has no text')
  const given = front.date ?? front.publishDate ?? dayInName
  if (given === undefined) return skip(source, 'has no date in its front matter or file name')
  const dateMs = parseDate(given)
  if (dateMs === undefined) return skip(source, `its date "${textOf(given) ?? ''}" is not one`)
  const author = authorOf(front.author ?? front.authors)
  const summary = textOf(front.description) ?? textOf(front.summary) ?? textOf(front.excerpt)
  const language = textOf(front.language) ?? textOf(front.lang) ?? languageInName
  return {
    piece: {
      source,
      title,
      dateMs,
      body,
      tags: [...listOf(front.tags), ...listOf(front.categories ?? front.category)],
      ...(author ? { author } : {}),
      ...(summary ? { summary } : {}),
      ...(language ? { language } : {}),
      ...aliasesIn(front),
      ...filesIn(front),
      ...(kind === undefined ? {} : ofKind(kind, front)),
    },
  }
}

/** Addresses under which the old site had it: Hugo, Jekyll and its plug-in for redirects each have a name for them. */
function aliasesIn(front: Record<string, unknown>): Pick<Piece, 'aliases'> {
  const { permalink, aliases: hugo, redirect_from: jekyll } = front
  const named = [permalink, hugo, jekyll].flat().flatMap((address) => aliasOf(address) ?? [])
  return named.length > 0 ? { aliases: [...new Set(named)] } : {}
}

/** Files beside the text, as an export names them; where they lie, whoever has read the text knows. */
function filesIn({ files }: Record<string, unknown>): Pick<Piece, 'files'> {
  if (!Array.isArray(files)) return {}
  const named = files.flatMap((entry: unknown) => {
    const { file, name, alt, caption, credit, licence } = (entry ?? {}) as Record<string, unknown>
    const path = textOf(file)
    if (path === undefined) return []
    const said = Object.entries({ name, alt, caption, credit, licence }).flatMap(([key, value]) => {
      const text = textOf(value)
      return text === undefined ? [] : [[key, text]]
    })
    return { file: path, path: '', root: '', ...(Object.fromEntries(said) as object) }
  })
  return named.length > 0 ? { files: named } : {}
}

/** What stands in front matter beside what every piece has: that of its kind, as an export writes it. */
function ofKind(kind: string, front: Record<string, unknown>): Partial<Piece> {
  const { places, id, decided } = front
  const own = Object.keys(kindOf(kind)?.strategies ?? {}).filter((name) => !COMMON.has(name) && name in front)
  const refs = ['group', 'translationOf'].flatMap((name) =>
    textOf(front[name]) ? [[name, textOf(front[name])]] : [],
  )
  return {
    kind,
    ...(Array.isArray(places) ? { places: listOf(places) } : {}),
    ...(textOf(id) === undefined ? {} : { name: textOf(id) }),
    ...(refs.length > 0 ? { refs: Object.fromEntries(refs) as Piece['refs'] } : {}),
    ...(own.length > 0 ? { more: Object.fromEntries(own.map((name) => [name, front[name]])) } : {}),
    ...(Array.isArray(decided) ? { decided: decided.map(String) } : {}),
  }
}

function textOf(value: unknown): string | undefined {
  if (typeof value === 'number') return String(value)
  if (typeof value !== 'string') return undefined
  const text = value.trim()
  return text === '' ? undefined : text
}

/** Jekyll takes "a b c" for three tags; Hugo has lists. */
function listOf(value: unknown): string[] {
  if (typeof value === 'string')
    return value.split(value.includes(',') ? ',' : /\s+/).filter((tag) => tag.trim() !== '')
  return Array.isArray(value) ? value.flatMap((entry) => textOf(entry) ?? []) : []
}

function authorOf(value: unknown): string | undefined {
  if (Array.isArray(value)) {
    const names = value.flatMap((entry) => authorOf(entry) ?? [])
    return names.length > 0 ? names.join(', ') : undefined
  }
  if (typeof value === 'object' && value !== null && 'name' in value) return textOf(value.name)
  return textOf(value)
}

function titleFromSlug(slug: string | undefined): string | undefined {
  if (!slug || slug === 'index' || slug === '_index') return undefined
  const words = slug.replaceAll(/[-_]+/g, ' ').trim()
  return words === '' ? undefined : words[0]?.toUpperCase() + words.slice(1)
}
