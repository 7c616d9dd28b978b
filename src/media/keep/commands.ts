import { z } from 'zod'
import { messageOf } from '../../errors.ts'
import { digest } from '../../ledger/manifest.ts'
import type { BlobNetwork } from '../share/blob-network.ts'
import type { Keeper } from './keeper.ts'
import type { Handlers } from './requests.ts'

/** What has come of one file that was to be fetched. */
export interface FetchedFile {
  sha256: string
  /** Why it is not here; null when it is. */
  problem: string | null
}

const pruneGiven = z.object({ olderThanMs: z.number().min(0), dryRun: z.boolean() })
const fetchGiven = z.object({ files: z.array(digest).max(100) })

/** What a running node does for `hyperactive media`. */
export function mediaCommands({
  keeper,
  network,
}: {
  keeper: Keeper
  network: Pick<BlobNetwork, 'fetch'>
}): Handlers {
  return {
    async prune(given) {
      const options = pruneGiven.parse(given)
      await keeper.look()
      return keeper.removeOrphans(options)
    },
    async fetch(given) {
      const { files } = fetchGiven.parse(given)
      return Promise.all(
        files.map(async (sha256): Promise<FetchedFile> => {
          try {
            await network.fetch(sha256)
            return { sha256, problem: null }
          } catch (error) {
            return { sha256, problem: messageOf(error) }
          }
        }),
      )
    },
  }
}
