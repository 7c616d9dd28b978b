import { existsSync } from 'node:fs'
import { derivationsFile } from './derivations.ts'
import { JobFile } from './jobs.ts'
import type { Job } from './jobs.ts'

/** Work that has failed on the node of a data folder, the latest first. */
export function readFailed(data: string, limit: number): Job[] {
  const file = derivationsFile(data)
  if (!existsSync(file)) return []
  using jobs = JobFile.reading(file)
  return jobs.list(['failed'], limit)
}
