import { statfs } from 'node:fs/promises'
import type { Tools } from '../clean/tools.ts'
import type { Keeper } from './keeper.ts'

/** Work on a file that has failed. */
export interface FailedJob {
  id: string
  /** The file that something was to be made of. */
  sha256: string
  item?: string
  reason: string
}

/** A file that fewer nodes have than the settings ask for. */
export interface ScarceFile {
  sha256: string
  bytes: number
  /** How many nodes are known to have it, and under how many laws they stand. */
  holders: number
  jurisdictions: number
}

/** What an administrator works with in the room for files; what this node does not do is undefined. */
export interface FilesDesk {
  keeper: Keeper
  tools: Tools
  /** Room on the disk that files are kept on; undefined where they are kept elsewhere. */
  disk: (() => Promise<Disk>) | undefined
  jobs: { failed: (limit: number) => readonly FailedJob[]; retry: (id: string) => void } | undefined
  scarce: ((limit: number) => readonly ScarceFile[]) | undefined
}

export interface Disk {
  bytes: number
  freeBytes: number
}

/** How large the disk of a folder is, and how much of it this process may still use. */
export async function diskOf(folder: string): Promise<Disk> {
  const { blocks, bavail, bsize } = await statfs(folder)
  return { bytes: blocks * bsize, freeBytes: bavail * bsize }
}
