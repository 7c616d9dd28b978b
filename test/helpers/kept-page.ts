import type { StoredPage } from '../../src/pages/store/stored-page.ts'
import { etagOf } from '../../src/pages/store/stored-page.ts'
import { Reads } from '../../src/reads.ts'

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
