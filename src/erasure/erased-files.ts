import type { Database } from '../couch/database.ts'
import type { BlobDriver } from '../media/blobs/driver.ts'
import type { FileBook } from '../media/keep/book.ts'
import type { Hands } from '../media/keep/hand.ts'
import { filesOfItem } from '../media/keep/named-files.ts'
import type { Site } from '../project/site.ts'

const AT_ONCE = 200

export interface ErasedFilesOptions {
  ledger: Database
  site: Pick<Site, 'file'>
  blobs: Pick<BlobDriver, 'delete' | 'compact'>
  book: FileBook
  hands: Hands
}

/**
 * The files of what is erased. Which they are is written down before the documents that say so are deleted, so that a node
 * that is killed in between knows it at its next start. Those that another item has as well stay.
 */
export class ErasedFiles {
  readonly #options: ErasedFilesOptions

  constructor(options: ErasedFilesOptions) {
    this.#options = options
  }

  /** Whether an earlier run has left something to be done. */
  get isDue(): boolean {
    return this.#options.book.leaving(1).length > 0
  }

  /** Notes which files an item has; to be called before its documents are deleted from the ledger. */
  async note(item: string): Promise<void> {
    const { ledger, book, hands } = this.#options
    // What is being made of its files would name them again.
    await hands.leaveItem(item)
    const files = await filesOfItem(ledger, item)
    if (files.size > 0) book.leave(files)
  }

  /**
   * Deletes the files that were noted and that no item of the site names any more; to be called when the site follows the
   * ledger. Documents that are held do not keep a file: nobody decides from outside what a node has to keep.
   */
  async remove(signal: AbortSignal): Promise<void> {
    const { site, blobs, book, hands } = this.#options
    for (;;) {
      signal.throwIfAborted()
      const leaving = book.leaving(AT_ONCE)
      if (leaving.length === 0) return
      let isRemoved = false
      for (const sha256 of leaving) {
        if ((await site.file(sha256)) !== undefined) continue
        await hands.letGo(sha256)
        await blobs.delete(sha256)
        isRemoved = true
      }
      // Also what an earlier run has deleted is perhaps still in the files of the place.
      if (isRemoved) await blobs.compact?.(signal)
      book.gone(leaving)
      book.left(leaving)
    }
  }
}
