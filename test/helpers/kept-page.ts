import type { StoredPage } from '../../src/pages/store/stored-page.ts'
import { etagOf } from '../../src/pages/store/stored-page.ts'
import { Reads } from '../../src/reads.ts'

/** How long pages may be given out, as it is by default. */
export const LIFETIMES = { leastSeconds: 60, mostSeconds: 3600, listingSeconds: 60, errorSeconds: 3600 }

/** Settings of a node that keeps pages in memory alone, with nobody in front of it. */
export const IN_MEMORY = {
  lifetimes: LIFETIMES,
  outside: { usesKeys: false, given: () => undefined, changed: () => undefined, cleared: () => undefined },
  files: { folder: '', mostBytes: 0 },
}

/** A page as a node keeps it, of these bytes. */
export function keptPage(
  key: string,
  text: string,
  given: Partial<Pick<StoredPage, 'type' | 'reads'>> = {},
): StoredPage {
  const body = Buffer.from(text)
  const type = 'text/html; charset=utf-8'
  const etag = etagOf(body)
  return {
    key,
    body,
    forms: {},
    type,
    etag,
    changedMs: 0,
    status: 200,
    headers: {},
    reads: new Reads(),
    asked: 0,
    ...given,
  }
}
