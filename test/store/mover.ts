/**
 * Copies between the embedded stores of a folder, as a process that can be killed: at its `killAt`th sign of progress
 * it kills itself. It fills the source first, unless an earlier run did.
 */
import { join } from 'node:path'
import { connectCouch } from '../../src/couch/client.ts'
import { HybridClock } from '../../src/ledger/clock.ts'
import { Ledger } from '../../src/ledger/ledger.ts'
import { embeddedUrl } from '../../src/store.ts'
import { copyLedger } from '../../src/upkeep/copy.ts'
import { digestLedger } from '../../src/upkeep/digest.ts'
import { makeEdit, newKey } from '../helpers/keys.ts'

const [folder = '', killAt = '0'] = process.argv.slice(2)

await using stack = new AsyncDisposableStack()
const open = async (name: string) =>
  stack.use(connectCouch(await embeddedUrl(stack, join(folder, name)))).ensureDatabase('ledger')
const [source, target] = [await open('source'), await open('target')]
if ((await source.info()).doc_count === 0) {
  const key = newKey()
  const edits = Array.from({ length: 1201 }, () => makeEdit(key))
  await new Ledger(source, key, new HybridClock()).identity()
  await source.bulkDocs(edits, { newEdits: false })
  const [first] = edits
  if (first) await source.delete(first._id, first._rev)
}
let signs = 0
const { documents, tombstones, hash } = await copyLedger(source, target, {
  onProgress() {
    signs += 1
    if (signs === Number(killAt)) process.kill(process.pid, 'SIGKILL')
  },
})
const equal = (await digestLedger(target)).hash === hash
process.stdout.write(`${JSON.stringify({ documents, tombstones, equal })}\n`)
