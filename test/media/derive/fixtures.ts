import { chmod, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import type { Job, JobState } from '../../../src/media/derive/jobs.ts'
import type { Derivations } from '../../../src/media/derive/derivations.ts'
import { filesOf } from '../../../src/project/media.ts'
import type { ItemFile } from '../../../src/project/media.ts'
import type { GivenFile } from '../../helpers/files-of-items.ts'
import type { NodeHere } from '../../helpers/node-here.ts'
import { until } from '../../helpers/wait.ts'

/** Work on the files of a busy machine takes its time. */
const BOUND_MS = 180_000

/** A picture full of detail. */
export async function photo(
  width: number,
  height: number,
): Promise<GivenFile & { width: number; height: number }> {
  const noise = { type: 'gaussian', mean: 128, sigma: 40 } as const
  const bytes = await sharp({ create: { width, height, channels: 3, noise, background: 'red' } })
    .jpeg({ quality: 90 })
    .toBuffer()
  return { bytes, type: 'image/jpeg', extension: 'jpg', width, height }
}

export function derivationsOf(node: NodeHere): Derivations {
  const { derivations } = node.here.media
  if (!derivations) throw new Error('this node makes nothing')
  return derivations
}

/** An item's only file as pages show it, once something was made of it. */
export async function untilMade(node: NodeHere, item: string): Promise<ItemFile> {
  const look = async () => {
    const document = await node.here.site.anyItem(item)
    const [file] = document ? filesOf(document.fields, document.media) : []
    if (file && file.made.length > 0) return file
    const [failed] = derivationsOf(node).list({ states: ['failed'] })
    return failed?.reason
  }
  const found = await until('something was made', look, BOUND_MS)
  if (typeof found === 'string') throw new Error(found)
  return found
}

/** The work on an item's only file, once it is in this state. */
export function untilState(node: NodeHere, item: string, state: JobState, code?: string): Promise<Job> {
  const look = () =>
    derivationsOf(node)
      .list()
      .find((job) => job.item === item && job.state === state && (code === undefined || job.code === code))
  return until(`it is ${state} ${code ?? ''}`, look, BOUND_MS)
}

/** All bytes of a file that a node keeps. */
export async function bytesOf(node: NodeHere, sha256: string): Promise<Buffer> {
  const { stream } = await node.here.media.blobs.read(sha256)
  return Buffer.concat(await stream.toArray())
}

/** "w320 image/webp" and so on. */
export function sortsOf({ made }: ItemFile): string[] {
  return made.map(({ as, type }) => `${as} ${type}`)
}

/** A program that says it is ffmpeg and then does what a script says; `$real` is the true one. */
export async function fakeFfmpeg(folder: string, script: string): Promise<string> {
  const path = join(folder, 'ffmpeg')
  const version = 'case "$1" in -version) echo "ffmpeg version 0-fake"; exit;; esac'
  await writeFile(path, `#!/bin/sh\n${version}\nreal=/usr/bin/ffmpeg\n${script}\n`)
  await chmod(path, 0o755)
  return path
}

/** A script that never ends, and neither does what it starts; it notes their ids. */
export function hangs(folder: string): string {
  const note = join(folder, 'pids')
  return `sleep 600 & echo "$$ $!" > ${note}.new; mv ${note}.new ${note}; while :; do sleep 1; done`
}

export async function pidsIn(folder: string): Promise<number[]> {
  return (await readFile(join(folder, 'pids'), 'utf8')).trim().split(' ').map(Number)
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
