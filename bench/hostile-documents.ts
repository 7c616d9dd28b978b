import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { makeEdit, newKey } from '../test/helpers/keys.ts'
import { atMost } from './figure.ts'
import type { Benchmark } from './figure.ts'
import { benchFolder, benchNode } from './nodes.ts'

const DOCUMENTS = 10_000
const BATCH = 500
const PASSWORD = randomBytes(24).toString('hex')

export const hostileDocuments: Benchmark = {
  name: 'hostile-documents',
  about: `${DOCUMENTS} forged, altered, deleted, oversized and malformed documents pushed at a node's gateway`,
  async run() {
    await using folder = await benchFolder()
    await using node = benchNode(folder.path, 'node')
    await node.start()
    const login = `{ username: hostile, password: ${PASSWORD} }`
    await node.writePeers(`peers:\n  - name: hostile\n    accepts: ${login}\n`)
    await node.stop()
    await node.start()
    const push = async (docs: unknown[]) => {
      const response = await node.page('/gateway/ledger/_bulk_docs', {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          authorization: `Basic ${Buffer.from(`hostile:${PASSWORD}`).toString('base64')}`,
        },
        body: JSON.stringify({ docs, new_edits: false }),
      })
      if (response.status !== 201) throw new Error(`the gateway answered ${response.status}`)
      return ((await response.json()) as unknown[]).length
    }
    // A first batch loads what is loaded once.
    await push(batch())
    const pid = node.processId
    const before = { documents: (await node.ledgerIds()).length, megabytes: await residentOf(pid) }
    let refused = 0
    for (let sent = 0; sent < DOCUMENTS; sent += BATCH) refused += await push(batch())
    const stored = (await node.ledgerIds()).length - before.documents
    const growth = (await residentOf(pid)) - before.megabytes
    const crashes = node.isRunning && node.processId === pid ? 0 : 1
    return [
      atMost('hostile-documents', stored, 'documents', 0, 'stored'),
      atMost('hostile-documents', DOCUMENTS - refused, 'documents', 0, 'not refused'),
      atMost('hostile-documents', crashes, 'crashes', 0, 'of the node'),
      atMost('hostile-documents', growth, 'MB', 50, 'memory growth of the node'),
    ]
  },
}

/** As many documents, each wrong in one of several ways. */
function batch(): unknown[] {
  const key = newKey()
  const good = makeEdit(key)
  const ways: ((index: number) => unknown)[] = [
    () => ({ ...makeEdit(key), sig: good.sig }),
    (index) => ({ ...good, fields: { ...good.fields, title: `Altered ${index}` } }),
    (index) => ({ ...good, _rev: `1-${index.toString(16).padStart(32, '0')}` }),
    () => ({ ...makeEdit(key), _deleted: true }),
    (index) => ({ _id: `_design/${index}`, _rev: '1-a', views: {} }),
    () => ({ ...makeEdit(key), note: '\ud800' }),
    () => ({ ...makeEdit(key), _attachments: { a: { data: 'eA==' } } }),
    (index) => ({ _id: `tiny${index}`, _rev: '1-a' }),
    () => ({ ...makeEdit(key), _revisions: { start: 3, ids: ['c', 'b', 'a'] } }),
    (index) => nested(index),
    () => null,
    () => 'x'.repeat(10_000),
  ]
  return Array.from({ length: BATCH }, (_, index) => ways[index % ways.length]?.(index))
}

function nested(index: number): object {
  let value: object = { index }
  for (let depth = 0; depth < 200; depth += 1) value = { value }
  return { _id: `nested${index}`, _rev: '1-a', value }
}

async function residentOf(processId: number): Promise<number> {
  const status = await readFile(`/proc/${processId}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024
}
