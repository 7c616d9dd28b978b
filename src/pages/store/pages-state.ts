import { join } from 'node:path'
import { readState } from '../../state-file.ts'
import type { ShelvesState } from './shelves.ts'

/** How a node's kept pages are. */
export interface PagesState extends ShelvesState {
  /** How often a reader was answered with a kept page, and how often one had to wait until it was made. */
  hits: number
  misses: number
}

/** Where a node writes down how its kept pages are. */
export function pagesStatePath(data: string): string {
  return join(data, 'pages.json')
}

/** How the kept pages of the node of a data folder were when it last wrote that down. */
export function readPagesState(data: string): Promise<PagesState | undefined> {
  return readState(pagesStatePath(data))
}

/** The same in lines for a terminal. */
export function describePages(state: PagesState): string[] {
  const { kept, bytesInMemory, files, bytes, hits, misses, problem } = state
  const asked = hits + misses
  const share = asked === 0 ? '' : `; ${((100 * hits) / asked).toFixed(1)} % of ${asked} answers`
  return [
    `kept pages        ${kept}: ${megabytes(bytesInMemory)} in memory, ${files} on disk with ${megabytes(bytes)}${share}`,
    ...(problem === undefined ? [] : [`  not as it should be: ${problem}`]),
  ]
}

function megabytes(bytes: number): string {
  return `${(bytes / 1024 ** 2).toFixed(1)} MB`
}
