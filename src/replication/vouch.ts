import { NETWORK } from '../ledger/item-id.ts'
import type { Ledger } from '../ledger/ledger.ts'

/** Signs an admission for each of these keys that this node has not admitted yet. */
export async function vouchFor(ledger: Ledger, keys: readonly string[]): Promise<void> {
  const wanted = new Set(keys.filter((key) => key !== ledger.node))
  if (wanted.size === 0) return
  for (const { node, key } of await ledger.ofItem(NETWORK, 'admission')) {
    if (node === ledger.node && typeof key === 'string') wanted.delete(key)
  }
  await ledger.append([...wanted].map((key) => ({ draft: { type: 'admission', item: NETWORK, key } })))
}
