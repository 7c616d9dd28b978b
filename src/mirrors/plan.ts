import type { ProducedFile } from '../produce/produced-site.ts'
import { isHashNamed, isMedia, siteNameProblem } from './names.ts'

const FILES_IN_BATCH = 200
const BYTES_IN_BATCH = 32 * 1024 * 1024
/** Pages wait for smaller pictures alone. */
const LARGE_BYTES = 1024 * 1024

/** What is done at a target in one go, in this order. */
export interface Batch {
  remove: string[]
  put: Map<string, ProducedFile>
}

export interface Plan {
  batches: Batch[]
  /** Paths for which nothing is to be done. */
  settled: string[]
  /** What is wrong with the names of files that are not sent. */
  refused: Map<string, string>
}

/**
 * What to do at a target about files that may have changed, each in its place: first everything that is not to be read
 * there any more, then what pages need, then pages in the order given, then sound, film and large pictures, so that no
 * text waits for them, and last the style sheets and scripts that no page needs by then. Pure, but for the two look-ups.
 *
 * @param paths what to look at, the most urgent first
 * @param wanted the file as it is in the site, if it is there
 * @param known the file as the target has it, with an empty hash where that is not known, if it may be there at all
 */
export function planChanges(
  paths: readonly string[],
  wanted: (path: string) => ProducedFile | undefined,
  known: (path: string) => ProducedFile | undefined,
): Plan {
  const [removals, assets, pages, oldAssets]: [string[], string[], string[], string[]] = [[], [], [], []]
  const [pictures, large]: [string[], string[]] = [[], []]
  const settled: string[] = []
  const refused = new Map<string, string>()
  for (const path of paths) {
    const file = wanted(path)
    const there = known(path)
    const problem = siteNameProblem(path)
    if (problem !== undefined) {
      if (file) refused.set(path, problem)
      settled.push(path)
    } else if (file && file.sha256 !== there?.sha256) {
      if (isMedia(path)) (file.bytes > LARGE_BYTES ? large : pictures).push(path)
      else (isHashNamed(path) ? assets : pages).push(path)
    } else if (!file && there) (isHashNamed(path) ? oldAssets : removals).push(path)
    else settled.push(path)
  }
  const batches: Batch[] = []
  for (let at = 0; at < removals.length; at += FILES_IN_BATCH)
    batches.push({ remove: removals.slice(at, at + FILES_IN_BATCH), put: new Map() })
  // A batch is sent in no order, so what pages need is in others than they.
  for (const some of [
    [...assets, ...pictures],
    [...pages, ...large],
  ]) {
    let [batch, bytes] = [batchFor(batches), 0]
    for (const path of some) {
      const file = wanted(path)
      if (!file) continue
      if (batch.put.size > 0 && (batch.put.size >= FILES_IN_BATCH || bytes + file.bytes > BYTES_IN_BATCH))
        [batch, bytes] = [emptyBatch(batches), 0]
      batch.put.set(path, file)
      bytes += file.bytes
    }
  }
  for (let at = 0; at < oldAssets.length; at += FILES_IN_BATCH)
    batches.push({ remove: oldAssets.slice(at, at + FILES_IN_BATCH), put: new Map() })
  return {
    batches: batches.filter(({ remove, put }) => remove.length + put.size > 0),
    settled,
    refused,
  }
}

/** The last one, where it puts nothing yet. */
function batchFor(batches: Batch[]): Batch {
  const last = batches.at(-1)
  return last?.put.size === 0 ? last : emptyBatch(batches)
}

function emptyBatch(batches: Batch[]): Batch {
  const batch: Batch = { remove: [], put: new Map() }
  batches.push(batch)
  return batch
}

/**
 * All files that differ between a site and what a target is known to have: pages that are there in another version come
 * before new ones, because what was hidden is among them. Pure.
 */
export function differenceOf(
  files: ReadonlyMap<string, ProducedFile>,
  known: Iterable<[path: string, file: ProducedFile]>,
): string[] {
  const [replaced, rest]: [string[], string[]] = [[], []]
  const seen = new Set<string>()
  for (const [path, { sha256 }] of known) {
    seen.add(path)
    if (files.get(path)?.sha256 !== sha256) replaced.push(path)
  }
  for (const path of files.keys()) if (!seen.has(path)) rest.push(path)
  return [...replaced, ...rest]
}
