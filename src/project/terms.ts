import type { Vocabulary } from '../kinds/base/vocabulary.ts'
import { noteName } from '../reads.ts'
import type { SiteItem } from './site-item.ts'

/** What an editor has said of one word: the part of a term's item that matters to listings. */
interface TermEntry {
  item: string
  vocabulary: Vocabulary
  name: string
  also: readonly string[]
  suggested: boolean
}

/** Names of a vocabulary whose listings may be others now. */
interface ChangedNames {
  vocabulary: Vocabulary
  names: string[]
}

/** What pages note that show a whole vocabulary as editors have ordered it, */
export const TERMS = 'terms'

/** and those that show where one word of it leads. */
export function termName(vocabulary: Vocabulary, name: string): string {
  return `term:${vocabulary}:${name}`
}

/** Longer chains of "this one is called that one now" end where they are. */
const LONGEST_CHAIN = 10

/**
 * The vocabularies as editors have ordered them: which names stand for another one. It follows from the terms' items
 * alone: where two claim the same name, the one with the lower item id has it.
 */
export class Terms {
  readonly #entries = new Map<string, TermEntry>()
  #leadsTo = new Map<string, string>()

  /** Takes in a term's item, or forgets it; gives the names whose listings this may change. */
  take(item: SiteItem): ChangedNames[] {
    if (item.standing.hidden) return this.forget(item._id)
    const before = this.#entries.get(item._id)
    const { vocabulary, title, also, suggested } = item.listing as unknown as {
      vocabulary: Vocabulary
      title: string
      also: string[]
      suggested?: true
    }
    const after = { item: item._id, vocabulary, name: title, also, suggested: suggested === true }
    if (JSON.stringify(before) === JSON.stringify(after)) return []
    this.#entries.set(item._id, after)
    this.#order()
    return [...(before ? [namesOf(before)] : []), namesOf(after)]
  }

  /** Forgets what is perhaps no term's item, such as one that was erased; gives the names that led somewhere by it. */
  forget(item: string): ChangedNames[] {
    const before = this.#entries.get(item)
    if (!before) return []
    this.#entries.delete(item)
    this.#order()
    return [namesOf(before)]
  }

  /** The name under which a word is listed. */
  nameOf(vocabulary: Vocabulary, name: string): string {
    let found = name
    for (let step = 0; step < LONGEST_CHAIN; step += 1) {
      noteName(termName(vocabulary, found))
      const next = this.#leadsTo.get(`${vocabulary}:${found}`)
      if (next === undefined || next === found) break
      found = next
    }
    return found
  }

  /** The names under which these words are listed, each once, sorted. */
  canonical(vocabulary: Vocabulary, names: readonly string[]): string[] {
    return [...new Set(names.map((name) => this.nameOf(vocabulary, name)))].sort()
  }

  /** The words that editors suggest to who publishes, sorted. */
  suggested(vocabulary: Vocabulary): string[] {
    noteName(TERMS)
    const entries = [...this.#entries.values()].filter((entry) => entry.suggested)
    return entries
      .filter((entry) => entry.vocabulary === vocabulary)
      .map(({ name }) => name)
      .sort()
  }

  /** The term's item that an editor would change to say more of this word, if there is one. */
  itemOf(vocabulary: Vocabulary, name: string): string | undefined {
    noteName(TERMS)
    return this.#ordered().find((entry) => entry.vocabulary === vocabulary && entry.name === name)?.item
  }

  clear(): void {
    this.#entries.clear()
    this.#leadsTo.clear()
  }

  #ordered(): TermEntry[] {
    return [...this.#entries.values()].sort((a, b) => (a.item < b.item ? -1 : 1))
  }

  #order(): void {
    this.#leadsTo = new Map()
    for (const { vocabulary, name, also } of this.#ordered()) {
      for (const other of also) {
        const key = `${vocabulary}:${other}`
        if (other !== name && !this.#leadsTo.has(key)) this.#leadsTo.set(key, name)
      }
    }
  }
}

function namesOf({ vocabulary, name, also }: TermEntry): ChangedNames {
  return { vocabulary, names: [name, ...also] }
}
