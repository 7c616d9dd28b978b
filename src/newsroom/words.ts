import type { Database } from '../couch/database.ts'
import { designInForce } from '../couch/design-docs.ts'
import { HyperactiveError } from '../errors.ts'
import { term } from '../kinds/term.ts'
import { normaliseTerm, uniqueTerms } from '../kinds/base/vocabulary.ts'
import type { Vocabulary } from '../kinds/base/vocabulary.ts'
import type { Draft, Fields } from '../ledger/document.ts'
import { makeItemId } from '../ledger/item-id.ts'
import type { SigningKey } from '../ledger/keys.ts'
import type { Ledger } from '../ledger/ledger.ts'
import { sameValue } from '../resolve/values.ts'
import type { SiteItem } from '../project/site-item.ts'

export interface Newsroom {
  ledger: Ledger
  site: Database
  /** The node's key: the nodes of a network are its editors. */
  key: SigningKey
  /** The language that is noted on what has none of its own. */
  language: string
}

/** What to say of a word; what is left out stays as it is. */
export interface WordChange {
  vocabulary: Vocabulary
  name: string
  /** Names that shall lead to it from now on. */
  also?: readonly string[]
  /** Names that shall be words of their own again. */
  not?: readonly string[]
  suggested?: boolean
}

/**
 * Renames, merges or suggests a word of a vocabulary: everything that carries one of its other names is listed under
 * this one from then on, on every node. Nothing in the items themselves changes, so it can be taken back.
 *
 * @returns the id of the new ledger document, or undefined when nothing was to be changed
 * @throws HyperactiveError `bad_word` with what is wrong
 */
export async function sayOfWord(newsroom: Newsroom, change: WordChange): Promise<string | undefined> {
  const { ledger, site, key, language } = newsroom
  const { vocabulary } = change
  const name = normaliseTerm(change.name)
  const words = await wordsOf(site)
  const ofName = (other: string) =>
    words.find(({ fields }) => fields.vocabulary === vocabulary && fields.title === other)
  const known = ofName(name)
  const before: Fields = known?.fields ?? { title: name, vocabulary, also: [], tags: [], language }
  const given = uniqueTerms(change.also ?? [])
  // What led to a word that is now another name for this one leads here as well.
  const inherited = given.flatMap((other) => (ofName(other)?.fields.also ?? []) as string[])
  const dropped = new Set([name, ...uniqueTerms(change.not ?? [])])
  const also = uniqueTerms([...(before.also as string[]), ...given, ...inherited]).filter(
    (other) => !dropped.has(other),
  )
  const { suggested: _, ...rest } = before
  const isSuggested = change.suggested ?? before.suggested === true
  const fields: Fields = { ...rest, also, ...(isSuggested ? { suggested: true } : {}) }
  const checked = term.schema.safeParse(fields)
  if (!checked.success) {
    const [issue] = checked.error.issues
    const text = `"${change.name}" cannot be kept: ${String(issue?.path[0])} ${issue?.message ?? ''}`
    throw new HyperactiveError('bad_word', text, { status: 400 })
  }
  if (known && sameValue(fields, known.fields)) return undefined
  const draft: Draft = {
    type: 'edit',
    item: known?._id ?? makeItemId(key.publicKey, Date.now()),
    kind: 'term',
    parents: known?.heads ?? [],
    fields,
  }
  const [document] = await ledger.append([{ draft, author: key }])
  return document?._id
}

/** The words that editors have said something of; there are never so many that they would not fit into memory. */
async function wordsOf(site: Database): Promise<SiteItem[]> {
  const design = await designInForce(site)
  if (design === undefined) return []
  const range = { startkey: ['kind:term'], endkey: ['kind:term', '\ufff0'], include_docs: true }
  const found = await site.view(design, 'listing', range)
  return found.rows.flatMap(({ doc }) => (doc ? [doc as unknown as SiteItem] : []))
}
