import { join } from 'node:path'
import { Readable } from 'node:stream'
import type { MediaFields, MediaFile } from '../../src/ledger/media.ts'
import type { Fields } from '../../src/ledger/document.ts'
import { HybridClock } from '../../src/ledger/clock.ts'
import { hashInId, makeDocument } from '../../src/ledger/document.ts'
import { makeItemId } from '../../src/ledger/item-id.ts'
import { newKey } from './keys.ts'
import type { NodeHere } from './node-here.ts'
import type { TestNode } from './node.ts'

/** What is put under an item: bytes, what they are, and what is said of them. */
export interface GivenFile extends Pick<MediaFile, 'type' | 'extension'>, Omit<MediaFields, 'files' | 'of'> {
  bytes: Buffer
  width?: number
  height?: number
  durationMs?: number
  caption?: string
}

/** Keeps bytes in a node's store of files; gives what a media document says of them. */
export async function keepFile(
  node: NodeHere,
  { bytes, type, extension, width, height, durationMs }: GivenFile,
): Promise<MediaFile> {
  const manifest = await node.here.media.blobs.write(Readable.from([bytes]))
  return {
    ...manifest,
    type,
    extension,
    ...(width === undefined ? {} : { width }),
    ...(height === undefined ? {} : { height }),
    ...(durationMs === undefined ? {} : { durationMs }),
  }
}

/** Publishes an item with files past the form, as a form would: the media documents first, then the edit that names them. */
export async function publishWithFiles(
  node: NodeHere,
  given: readonly GivenFile[],
  { kind = 'article', fields = {} }: { kind?: string; fields?: Fields } = {},
): Promise<{ item: string; author: ReturnType<typeof newKey>; files: { sha256: string; media: string }[] }> {
  const { ledger } = node.here.store
  const author = newKey()
  const item = makeItemId(author.publicKey, Date.now())
  const files: { sha256: string; media: string; caption?: string }[] = []
  for (const one of given) {
    const { name, alt, credit, licence, caption } = one
    const file = await keepFile(node, one)
    const texts = Object.fromEntries(
      Object.entries({ name, alt, credit, licence }).filter(([, text]) => text !== undefined),
    )
    const [document] = await ledger.append([{ draft: { type: 'media', item, files: [file], ...texts } }])
    files.push({
      sha256: file.sha256,
      media: hashInId(document?._id ?? ''),
      ...(caption === undefined ? {} : { caption }),
    })
  }
  const named = files.map(({ sha256, ...rest }) => ({ file: sha256, ...rest }))
  const all = { title: 'With files', body: 'See above.', tags: [], language: 'en', ...fields, files: named }
  const [edit] = await ledger.append([
    { draft: { type: 'edit', item, kind, parents: [], fields: all }, author },
  ])
  await node.here.projector.settled(edit?._id ?? '')
  return { item, author, files }
}

/** Has an item name a file whose bytes are in a node's store already, past everything; gives the item. */
export async function nameFile(node: TestNode, file: MediaFile): Promise<string> {
  const key = await node.key()
  const clock = new HybridClock()
  const author = newKey()
  const item = makeItemId(author.publicKey, Date.now())
  const media = makeDocument({ type: 'media', item, files: [file] }, clock.now(), key)
  const files = [{ file: file.sha256, media: hashInId(media._id) }]
  const fields = { title: 'With a file', body: 'See above.', tags: [], language: 'en', files }
  const draft = { type: 'edit' as const, item, kind: 'article', parents: [], fields }
  const edit = makeDocument(draft, clock.now(), key, author)
  await node.withCouch((couch) => couch.database('ledger').bulkDocs([media, edit], { newEdits: false }))
  return item
}

/** Where a node has a file on its disk. */
export function blobPath(node: Pick<TestNode, 'data'>, sha256: string): string {
  return join(node.data, 'media', 'whole', sha256.slice(0, 2), sha256.slice(2, 4), sha256)
}
