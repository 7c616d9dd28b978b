import { randomBytes } from 'node:crypto'
import type { Database } from '../couch/database.ts'
import { HyperactiveError } from '../errors.ts'
import { dayOf } from './looked.ts'

/** The most characters of a note, and the most notes on one target. */
export const LONGEST_NOTE = 2000
const MOST_ON_TARGET = 100
const LAST = '\ufff0'

/** What one moderator tells the others about an item or a comment. */
export interface Note {
  id: string
  text: string
  /** The account of who wrote it. */
  by: string
  day: string
}

/** Notes among the moderators of this node. No reader and no peer ever gets one. */
export class Notes {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** The notes on a target, the oldest first. */
  async on(target: string): Promise<Note[]> {
    const { rows } = await this.#database.allDocs({
      startkey: `note:${target}:`,
      endkey: `note:${target}:${LAST}`,
      limit: MOST_ON_TARGET,
      include_docs: true,
    })
    return rows.flatMap(({ key, doc }) =>
      doc ? [{ id: key, text: String(doc.text), by: String(doc.by), day: String(doc.day) }] : [],
    )
  }

  /** @throws HyperactiveError `too_many_notes` */
  async add(target: string, { text, by }: Pick<Note, 'text' | 'by'>, nowMs = Date.now()): Promise<void> {
    if ((await this.on(target)).length >= MOST_ON_TARGET) {
      throw new HyperactiveError('too_many_notes', `there are ${MOST_ON_TARGET} notes already`, {
        status: 422,
      })
    }
    // Sorts by time; what stands behind it parts notes of one moment.
    const _id = `note:${target}:${nowMs.toString(36).padStart(9, '0')}${randomBytes(8).toString('hex')}`
    const document = { _id, type: 'note', text, by, day: dayOf(nowMs) }
    await this.#database.put(document)
  }

  /** Deletes a note on a target if this account wrote it; gives whether it did. */
  async delete(target: string, id: string, by: string): Promise<boolean> {
    if (!id.startsWith(`note:${target}:`)) return false
    const document = await this.#database.get(id)
    if (document?.type !== 'note' || document.by !== by) return false
    await this.#database.delete(id, document._rev)
    return true
  }
}
