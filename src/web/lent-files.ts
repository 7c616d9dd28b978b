import type { IncomingMessage } from 'node:http'
import { orderedValue } from '../couch/embedded/key-order.ts'
import type { Lifetimes } from '../pages/store/lifetime.ts'
import type { Outside } from '../pages/store/outside.ts'
import { PageKeys } from '../pages/store/page-key.ts'
import { surrogateKeys } from '../pages/store/surrogate-keys.ts'
import type { FileRow } from '../project/file-rows.ts'
import { Reads } from '../reads.ts'

/** How long browsers use a file before they ask whether it is still there, in seconds: nobody can take it back from them. */
const FRESH_S = 600
const LAST = '\ufff0'

export interface LentFilesOptions {
  /** Whoever is to be told; nobody unless given. */
  outside?: Pick<Outside, 'usesKeys' | 'given'>
  /** This node's public address; without one, servers in front keep files by the host that they were asked for at. */
  url: string | undefined
  lifetimes: Lifetimes
}

const NOBODY = { usesKeys: false, given: () => undefined }

/**
 * Says with a file that everybody may have how long others may keep it, and lets servers in front be told when that ends:
 * when the last item that shows it is hidden or erased.
 */
export class LentFiles {
  readonly #outside: Pick<Outside, 'usesKeys' | 'given'>
  readonly #keys: PageKeys
  readonly #forProxies: string

  constructor({ outside = NOBODY, url, lifetimes: { mostSeconds, errorSeconds } }: LentFilesOptions) {
    this.#outside = outside
    this.#keys = new PageKeys({ language: 'en', namesHost: url === undefined })
    this.#forProxies = [
      `, s-maxage=${mostSeconds}`,
      ...(errorSeconds > 0 ? [`, stale-if-error=${errorSeconds}`] : []),
    ].join('')
  }

  /** The headers of an answer that gives somebody this file; whoever keeps it in front of this node is remembered. */
  given({ url = '', headers }: IncomingMessage, { sha256, type }: FileRow): Record<string, string> {
    // Films and sound would fill what pages are kept in.
    const isPicture = type.startsWith('image/')
    const cacheControl = `public, max-age=${FRESH_S}${isPicture ? this.#forProxies : ''}`
    if (!this.#outside.usesKeys) return { 'Cache-Control': cacheControl }
    const reads = readsOf(sha256)
    const key = this.#keys.keyOfFile({ url, host: headers.host ?? '' })
    if (key === undefined) return { 'Cache-Control': 'private, no-cache' }
    this.#outside.given({ key, reads })
    return { 'Cache-Control': cacheControl, 'Surrogate-Key': surrogateKeys(reads) }
  }
}

/** What it depends on: the rows that say who names the file, and whether readers get it. */
function readsOf(sha256: string): Reads {
  const reads = new Reads()
  reads.ranges.push({ view: 'files', from: orderedValue([sha256]), to: orderedValue([sha256, LAST]) })
  return reads
}
