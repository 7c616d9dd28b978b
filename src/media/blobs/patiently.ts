import { setTimeout as pause } from 'node:timers/promises'
import { isCode } from './problems.ts'

/** How long it is waited before what got no answer is tried once more. */
const PAUSES_MS = [200, 1000]

/** Does something that may be done again, up to three times where the store of blobs gives no answer. */
export async function patiently<Result>(act: () => Promise<Result>, signal?: AbortSignal): Promise<Result> {
  for (const ms of PAUSES_MS) {
    try {
      return await act()
    } catch (error) {
      if (!isCode(error, 'blob_store_unreachable')) throw error
      await pause(ms, undefined, signal ? { signal } : {})
    }
  }
  return act()
}
