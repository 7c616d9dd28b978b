import { AsyncLocalStorage } from 'node:async_hooks'
import { partOf } from './shown.ts'
import type { DocumentPart } from './shown.ts'

/** A range of a view's rows that was read, ends included, as ordered keys. */
export interface RangeRead {
  /** Its name, or that of a part of its rows. */
  view: string
  from: string
  to: string
}

/** Everything that something was made of. */
export class Reads {
  /** Documents of the site database, also those that were not there: their ids, or names of their parts. */
  readonly documents = new Set<string>()
  readonly ranges: RangeRead[] = []
  /** What was read of counts and vocabularies: "count:tag:river", "top:tag", "terms". */
  readonly names = new Set<string>()
  /** When it stops being true by itself, in milliseconds since 1970. */
  untilMs = Infinity
  /** Whether something was read whose changes nobody tells of. */
  isUntold = false
  /** Whether something of it tells the day alone on which it was published, so that nothing else may tell more. */
  isDayOnly = false

  /** Ranges that meet are one: a page that reads what lies before and behind a place notes half as much. */
  addRange({ view, from, to }: RangeRead): void {
    const index = this.ranges.findIndex((one) => one.view === view && (one.to === from || one.from === to))
    const met = this.ranges[index]
    if (!met) this.ranges.push({ view, from, to })
    else if (met.to === from) this.ranges[index] = { view, from: met.from, to }
    else this.ranges[index] = { view, from, to: met.to }
  }

  add(other: Reads): void {
    for (const id of other.documents) this.documents.add(id)
    this.ranges.push(...other.ranges)
    for (const name of other.names) this.names.add(name)
    this.untilMs = Math.min(this.untilMs, other.untilMs)
    this.isUntold ||= other.isUntold
    this.isDayOnly ||= other.isDayOnly
  }
}

const tracked = new AsyncLocalStorage<Reads>()

/** Does something and gives with its outcome everything that it read. */
export async function tracking<Value>(work: () => Promise<Value>): Promise<{ value: Value; reads: Reads }> {
  const reads = new Reads()
  const value = await tracked.run(reads, work)
  return { value, reads }
}

/** The reads of what is being made now; undefined where nobody keeps what is made. */
export function currentReads(): Reads | undefined {
  return tracked.getStore()
}

/** @param part the only part of them that matters */
export function noteDocuments(ids: Iterable<string>, part?: DocumentPart): void {
  const reads = tracked.getStore()
  if (reads) for (const id of ids) reads.documents.add(partOf(id, part))
}

export function noteRange(range: RangeRead): void {
  tracked.getStore()?.addRange(range)
}

export function noteName(name: string): void {
  tracked.getStore()?.names.add(name)
}

/** What is made is true until this time, milliseconds since 1970, whatever else happens. */
export function noteTime(untilMs: number): void {
  const reads = tracked.getStore()
  if (reads) reads.untilMs = Math.min(reads.untilMs, untilMs)
}

/** Something is read whose changes nobody tells of, so what is made is not kept. */
export function noteUntold(): void {
  const reads = tracked.getStore()
  if (reads) reads.isUntold = true
}

/** Of something that is read only the day may be told on which it was published. */
export function noteDayOnly(): void {
  const reads = tracked.getStore()
  if (reads) reads.isDayOnly = true
}
