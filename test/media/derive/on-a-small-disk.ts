import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { FolderBlobs } from '../../../src/media/blobs/folder.ts'
import { Maker } from '../../../src/media/derive/maker.ts'

const [folder = '', sha256 = '', bytes = ''] = process.argv.slice(2)
const work = join(folder, 'work')
await using blobs = await FolderBlobs.open(join(folder, 'blobs'))
const maker = await Maker.open({ blobs, tools: {}, folder: work, mostMs: 60_000 })
const source = {
  sha256,
  bytes: Number(bytes),
  type: 'image/jpeg',
  extension: 'jpg',
  width: 1600,
  height: 1200,
}
const code = await maker.make(source, new AbortController().signal).then(
  () => 'made',
  (error: { code?: string }) => error.code,
)
process.stdout.write(JSON.stringify({ code, left: await readdir(work) }))
