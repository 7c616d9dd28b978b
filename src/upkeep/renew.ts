import { join } from 'node:path'
import type { LoadedConfig } from '../config/config.ts'
import { finishSwap, readOwnStore, RENEWED, writeOwnStore } from '../config/own-store.ts'
import { HybridClock } from '../ledger/clock.ts'
import { Ledger } from '../ledger/ledger.ts'
import { openStoreAlone } from '../store.ts'
import { copyLedger } from './copy.ts'
import type { CopyOptions } from './copy.ts'
import { openFolder, setAside } from './move.ts'

/**
 * Writes the ledger of the embedded store anew, with what proves itself and nothing else: LevelDB has no way to take a
 * revision out of a document. The node must be stopped.
 *
 * @returns where the old folder is now
 * @throws HyperactiveError those of {@link copyLedger} and of opening the store
 */
export async function renewEmbedded(loaded: LoadedConfig, options: CopyOptions = {}): Promise<string> {
  const { data } = loaded.config
  const identity = await copyToNewFolder(loaded, options)
  const own = await readOwnStore(data)
  // Named before the folders are swapped, so that the node starts on whichever of the two it finds.
  if (own) await writeOwnStore(data, { ...own, next: identity })
  const kept = await setAside(data, 'broken')
  await finishSwap(data)
  return kept
}

async function copyToNewFolder(loaded: LoadedConfig, options: CopyOptions): Promise<string> {
  await using stack = new AsyncDisposableStack()
  const store = stack.use(await openStoreAlone(loaded))
  const target = await openFolder(stack, join(loaded.config.data, RENEWED), store)
  const { uuid } = await new Ledger(target, store.key, new HybridClock()).identity()
  await copyLedger(store.ledger.database, target, options)
  return uuid
}
