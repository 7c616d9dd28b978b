import { join } from 'node:path'
import { readState } from '../../state-file.ts'
import type { Derivations } from './derivations.ts'
import type { JobCounts } from './jobs.ts'

/** How a node's work on files is. */
export interface DerivationsState extends JobCounts {
  /** The version of ffmpeg; null where there is none. */
  ffmpeg: string | null
}

/** Where a node writes it down. */
export function derivationsStatePath(data: string): string {
  return join(data, 'derivations.json')
}

export function derivationsState(derivations: Derivations): DerivationsState {
  return { ffmpeg: derivations.ffmpeg ?? null, ...derivations.counts() }
}

/** How it was when the node of a data folder last wrote that down. */
export function readDerivationsState(data: string): Promise<DerivationsState | undefined> {
  return readState(derivationsStatePath(data))
}

/** The same in lines for a terminal. */
export function describeDerivations({ ffmpeg, working, waiting, failed, done }: DerivationsState): string[] {
  const counts = `${done} done, ${working} worked on, ${waiting} waiting, ${failed} failed`
  return [
    `made of files     ${counts}`,
    ...(ffmpeg === null ? ['  ffmpeg is not installed: sound and films are offered as they are'] : []),
  ]
}
