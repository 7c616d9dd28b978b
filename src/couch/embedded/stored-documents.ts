import type { PouchDocument } from 'pouchdb-node'
import { openedLevel } from './level.ts'

/** PouchDB's key space of documents: one key for each document, deleted ones too. */
const DOCUMENTS = '\u00ffdocument-store\u00ff'
/** Its key space of bodies: one key for each revision whose body is kept. */
const BODIES = '\u00ffby-sequence\u00ff'
const SEQUENCE_DIGITS = 16
/** Bodies that are held at once where changes are read. */
const MOST_BYTES = 4 * 1024 * 1024

/** What PouchDB 9 keeps of a document under its id. */
interface Metadata {
  winningRev: string
  deleted: boolean
  /** The sequence number under which a revision's body is kept. */
  rev_map: Record<string, number>
}

/** The revision of a document that CouchDB answers with when none is asked for. */
export interface Winner {
  rev: string
  deleted: boolean
  /** Absent when it was not asked for, and for the moment in which a compaction removes it. */
  body: PouchDocument | undefined
}

/** A document as it is now. */
export interface ChangedDocument {
  readonly id: string
  /** Absent when it is deleted. */
  readonly body: PouchDocument | undefined
}

export interface ChangedDocuments {
  documents: ChangedDocument[]
  /** The sequence number up to which they were read. */
  lastSeq: number
  more: boolean
}

/** How many documents there are, deleted ones included; reads keys alone. */
export function countKeys(location: string): Promise<number> {
  const range = { gt: DOCUMENTS, lt: `${DOCUMENTS}\uffff` }
  const iterator = openedLevel(location).iterator({ ...range, values: false, keyAsBuffer: false })
  return new Promise((resolve, reject) => {
    let count = 0
    const step = (error?: Error | null, key?: string) => {
      if (!error && key !== undefined) {
        count += 1
        iterator.next(step)
      } else {
        iterator.end(() => (error ? reject(error) : resolve(count)))
      }
    }
    iterator.next(step)
  })
}

/**
 * The winning revisions of these documents in one read from LevelDB, or two with their bodies; undefined for those that
 * were never here. PouchDB reads each document by itself, in an order of its own: ten times the work for a batch.
 */
export async function readWinners(
  location: string,
  ids: readonly string[],
  withBodies: boolean,
): Promise<(Winner | undefined)[]> {
  const winners = await readWinningRevisions(location, ids)
  if (!withBodies) return winners
  const there = winners.filter((winner) => winner !== undefined)
  const bodies = await readBodies(
    location,
    there.map(({ seq }) => seq),
  )
  for (const [index, winner] of there.entries()) winner.body = bodies[index]
  return winners
}

/**
 * The documents that were written behind `since`, each as it is now. One whose winning revision is behind what is read
 * here is left out: it comes when that is read.
 *
 * @param most how many entries are read at the most
 */
export async function readChanged(location: string, since: number, most: number): Promise<ChangedDocuments> {
  const { entries, more } = await readEntries(location, since, most)
  const last = entries.at(-1)
  if (!last) return { documents: [], lastSeq: since, more: false }
  const written = new Map<string, PouchDocument>()
  for (const { text } of entries) {
    const body = JSON.parse(text) as PouchDocument
    written.set(body._id, body)
  }
  const ids = [...written.keys()]
  const winners = await readWinningRevisions(location, ids)
  const documents: ChangedDocument[] = []
  const elsewhere: { id: string; seq: number }[] = []
  for (const [index, id] of ids.entries()) {
    const winner = winners[index]
    if (!winner || winner.seq > last.seq) continue
    const body = written.get(id)
    if (winner.deleted) documents.push({ id, body: undefined })
    else if (body?._rev === winner.rev) documents.push({ id, body })
    else elsewhere.push({ id, seq: winner.seq })
  }
  const bodies = await readBodies(
    location,
    elsewhere.map(({ seq }) => seq),
  )
  for (const [index, { id }] of elsewhere.entries()) {
    const body = bodies[index]
    // A body that is gone by now has been followed by another.
    if (body) documents.push({ id, body })
  }
  return { documents, lastSeq: last.seq, more }
}

/** A document's winning revision, and the sequence number under which its body is kept. */
interface WinningRevision extends Winner {
  seq: number
}

async function readWinningRevisions(
  location: string,
  ids: readonly string[],
): Promise<(WinningRevision | undefined)[]> {
  const found = await getMany(
    location,
    ids.map((id) => DOCUMENTS + id),
  )
  return found.map((text) => {
    if (text === undefined) return undefined
    const { winningRev: rev, deleted, rev_map: sequences } = JSON.parse(text) as Metadata
    return { rev, deleted, body: undefined, seq: sequences[rev] ?? 0 }
  })
}

async function readBodies(
  location: string,
  sequences: readonly number[],
): Promise<(PouchDocument | undefined)[]> {
  if (sequences.length === 0) return []
  const texts = await getMany(location, sequences.map(bodyKey))
  return texts.map((text) => (text === undefined ? undefined : (JSON.parse(text) as PouchDocument)))
}

/** Bodies as they are stored, in the order in which they were written. */
function readEntries(
  location: string,
  since: number,
  most: number,
): Promise<{ entries: { seq: number; text: string }[]; more: boolean }> {
  const iterator = openedLevel(location).iterator({
    gt: bodyKey(since),
    lt: `${BODIES}:`,
    limit: most,
    keyAsBuffer: false,
    valueAsBuffer: false,
    highWaterMark: MOST_BYTES,
  })
  return new Promise((resolve, reject) => {
    const entries: { seq: number; text: string }[] = []
    let length = 0
    const step = (error?: Error | null, key?: string, text?: string) => {
      if (key !== undefined && text !== undefined) {
        entries.push({ seq: Number(key.slice(BODIES.length)), text })
        length += text.length
      }
      const more = entries.length >= most || length >= MOST_BYTES
      if (!error && key !== undefined && !more) iterator.next(step)
      else iterator.end(() => (error ? reject(error) : resolve({ entries, more })))
    }
    iterator.next(step)
  })
}

function bodyKey(seq: number): string {
  return BODIES + String(seq).padStart(SEQUENCE_DIGITS, '0')
}

function getMany(location: string, keys: string[]): Promise<(string | undefined)[]> {
  const level = openedLevel(location)
  return new Promise((resolve, reject) => {
    level.getMany(keys, { asBuffer: false }, (error, values) => (error ? reject(error) : resolve(values)))
  })
}
