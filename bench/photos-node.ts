import { createReadStream } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { loadConfig } from '../src/config/config.ts'
import { hashInId } from '../src/ledger/document.ts'
import { makeItemId } from '../src/ledger/item-id.ts'
import { startNode } from '../src/node.ts'
import type { Node } from '../src/node.ts'
import { newKey } from '../test/helpers/keys.ts'
import { until } from '../test/helpers/wait.ts'

const MOST_MS = 24 * 60 * 60_000

/** A node in a process of its own that is given photos as its forms would give them; says how long that took. */
const [data = '', photos = ''] = process.argv.slice(2)
const names = await readdir(photos)
await using node = await startNode(loadConfig({ data, port: '0' }, {}))
const begun = performance.now()
await publishAll(node, names)
const storedMs = performance.now() - begun
const { derivations } = node.media
await until('all are made smaller', () => derivations?.counts().done === names.length, MOST_MS, 100)
process.stdout.write(JSON.stringify({ storedMs, allMs: performance.now() - begun }))

async function publishAll({ media, store }: Node, files: Iterable<string>): Promise<void> {
  const { ledger } = store
  for (const name of files) {
    await using clean = await media.cleaner.clean(join(photos, name))
    const { type, extension, width = 1, height = 1, path } = clean
    const manifest = await media.blobs.write(createReadStream(path))
    const author = newKey()
    const item = makeItemId(author.publicKey, Date.now())
    const file = { ...manifest, type, extension, width, height }
    const [document] = await ledger.append([{ draft: { type: 'media', item, files: [file] } }])
    const named = [{ file: manifest.sha256, media: hashInId(document?._id ?? '') }]
    const fields = { title: name, body: 'A photo.', tags: [], language: 'en', files: named }
    await ledger.append([{ draft: { type: 'edit', item, kind: 'article', parents: [], fields }, author }])
  }
}
