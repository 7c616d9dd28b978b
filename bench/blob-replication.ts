import { execFile } from 'node:child_process'
import { randomFillSync } from 'node:crypto'
import { mkdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { promisify } from 'node:util'
import type { BlobManifest } from '../src/media/blobs/blob.ts'
import { FolderBlobs } from '../src/media/blobs/folder.ts'
import { blobPath, nameFile } from '../test/helpers/files-of-items.ts'
import { join2 } from '../test/helpers/node.ts'
import { until } from '../test/helpers/wait.ts'
import { atLeast, median, plain } from './figure.ts'
import type { Benchmark } from './figure.ts'
import { benchFolder, benchNode, memoryOf } from './nodes.ts'

const MB = 1_000_000
const BYTES = Number(process.env.HYPERACTIVE_BENCH_FILE_MB ?? 500) * MB
const ROUNDS = 3
const BOUND_MS = 300_000

const run = promisify(execFile)

export const blobReplication: Benchmark = {
  name: 'blob-replication',
  about: `a file of ${BYTES / MB} MB, from the moment that A's ledger names it until B has it, median of ${ROUNDS}; against cp and sha256sum of the same file on the same disk`,
  async run() {
    await using folder = await benchFolder()
    await using a = benchNode(folder.path, 'a')
    await using b = benchNode(folder.path, 'b')
    await mkdir(a.data, { recursive: true })
    const files: BlobManifest[] = []
    const blobs = await FolderBlobs.open(join(a.data, 'media'))
    for (let round = 0; round < ROUNDS; round += 1) files.push(await blobs.write(Readable.from(chunks())))
    await blobs[Symbol.asyncDispose]()
    await Promise.all([a.start(), b.start()])
    await join2(a, b)
    const copied: number[] = []
    const replicated: number[] = []
    let memory = 0
    for (const manifest of files) {
      copied.push(await copySeconds(blobPath(a, manifest.sha256), join(folder.path, 'copy')))
      const begun = performance.now()
      await nameFile(a, { ...manifest, type: 'video/mp4', extension: 'mp4' })
      const isThere = () =>
        stat(blobPath(b, manifest.sha256)).then(
          () => true,
          () => false,
        )
      await until('B has the file', isThere, BOUND_MS, 5)
      replicated.push((performance.now() - begun) / 1000)
      memory = Math.max(memory, await memoryOf(b.processId))
    }
    const rate = BYTES / MB / median(replicated)
    const pipeline = BYTES / MB / median(copied)
    return [
      plain('blob-replication', rate, 'MB/s'),
      plain('blob-replication', pipeline, 'MB/s', 'cp and sha256sum'),
      atLeast('blob-replication', rate / pipeline, 'of that rate', 0.5),
      plain('blob-replication', memory, 'MB', 'memory of B afterwards'),
    ]
  },
}

async function copySeconds(from: string, to: string): Promise<number> {
  const begun = performance.now()
  await run('cp', [from, to])
  await run('sha256sum', [to])
  const seconds = (performance.now() - begun) / 1000
  await rm(to)
  return seconds
}

function* chunks(): Generator<Uint8Array> {
  for (let left = BYTES; left > 0; left -= MB) yield randomFillSync(new Uint8Array(Math.min(MB, left)))
}
