import { chooseLanguage, languageInPath } from '../../i18n/choose.ts'

/** Parameters of addresses that make another page. All others are left out: nobody makes new pages by inventing them. */
const PARAMETERS = ['before', 'after', 'comments'] as const
const LONGEST = 1000
const MOST_HEADERS = 500
const LONGEST_HEADER = 200

/** The parts of a request that a page depends on. */
export interface PageRequestParts {
  /** As it was sent: path and query. */
  url: string
  /** Where the node has no public address of its own, pages name the host that they were asked for at. */
  host: string
  acceptLanguage: string
}

/** Names pages by what was asked for. */
export class PageKeys {
  readonly #fallback: string
  readonly #namesHost: boolean
  readonly #languages = new Map<string, string>()

  /** @param options.namesHost whether pages differ by the host that they were asked for at */
  constructor({ language, namesHost }: { language: string; namesHost: boolean }) {
    this.#fallback = language
    this.#namesHost = namesHost
  }

  /** The page's key, the same for all requests that get the same page; undefined for one that is never kept. */
  keyOf({ url, host, acceptLanguage }: PageRequestParts): string | undefined {
    if (url.length > LONGEST || !url.startsWith('/')) return undefined
    const mark = url.indexOf('?')
    const path = mark === -1 ? url : url.slice(0, mark)
    const query = mark === -1 ? '' : knownQuery(url.slice(mark + 1))
    const language = languageInPath(path) ? '' : this.#languageFor(acceptLanguage)
    return `${this.#namesHost ? host : ''} ${language} ${path}${query}`
  }

  /** Browsers send few different headers, and reading one takes longer than everything else here. */
  #languageFor(header: string): string {
    const known = this.#languages.get(header)
    if (known !== undefined) return known
    const language = chooseLanguage(header, this.#fallback)
    if (header.length > LONGEST_HEADER) return language
    if (this.#languages.size >= MOST_HEADERS) this.#languages.clear()
    this.#languages.set(header, language)
    return language
  }
}

/** The parameters that count, in one order, as they were encoded; of several of one name the first. */
function knownQuery(query: string): string {
  const pairs = query.split('&', 20)
  const known = PARAMETERS.flatMap((name) => pairs.find((pair) => pair.startsWith(`${name}=`)) ?? [])
  return known.length === 0 ? '' : `?${known.join('&')}`
}
