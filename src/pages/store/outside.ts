import type { Change } from './dependencies.ts'
import type { StoredPage } from './stored-page.ts'

/** Keeps pages too, somewhere in front of this node, and is to be told when they do not hold any more. */
export interface Outside {
  /** Whether anybody reads the keys of what pages are made of. */
  readonly usesKeys: boolean
  /** A page, or a file, was given out with leave to keep it. */
  given(page: Pick<StoredPage, 'key' | 'reads'>): void
  /** @param first what of it takes something off the pages */
  changed(change: Change, first: Change): void
  /** Any page may be another one. */
  cleared(): void
}
