import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setInterval as every } from 'node:timers/promises'
import sharp from 'sharp'
import { atMost, plain } from './figure.ts'
import type { Benchmark } from './figure.ts'
import { benchFolder, memoryOfTree } from './nodes.ts'

/** A smaller number is for looking where the time goes: it has no goal. */
const { HYPERACTIVE_TEST_PHOTOS: chosen = '1000' } = process.env
const PHOTOS = Number(chosen)
const GOAL_MB = 500
const [WIDTH, HEIGHT] = [4000, 3000]
const LOOK_MS = 250

export const photos: Benchmark = {
  name: 'photos',
  about: `${PHOTOS} photos of 4 MB and 12 megapixels: cleaned, stored, published, and each made in 4 sizes and 3 formats`,
  async run() {
    await using folder = await benchFolder()
    const [from, data] = [join(folder.path, 'photos'), join(folder.path, 'data')]
    await takePhotos(from)
    const megabytes = await megabytesIn(from)
    const program = join(import.meta.dirname, 'photos-node.ts')
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', program, data, from], {
      env: { ...process.env, HYPERACTIVE_LOG: 'error' },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const ended = once(child, 'close')
    let said = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text))
    const stop = new AbortController()
    const peak = highest(child.pid ?? 0, stop.signal)
    const [code] = (await ended) as [number]
    stop.abort()
    if (code !== 0) throw new Error(`the node ended with ${code}`)
    const { storedMs, allMs } = JSON.parse(said) as { storedMs: number; allMs: number }
    const size = `of ${(megabytes / PHOTOS).toFixed(1)} MB`
    return [
      plain('photos', PHOTOS / (allMs / 1000), 'pictures/s', size),
      plain('photos', PHOTOS / (storedMs / 1000), 'pictures/s', 'cleaned and stored'),
      PHOTOS === 1000
        ? atMost('photos', await peak, 'MB', GOAL_MB, 'at most, all processes')
        : plain('photos', await peak, 'MB', 'at most, all processes'),
    ]
  },
}

/** The most memory that a process and all below it have had. */
async function highest(processId: number, signal: AbortSignal): Promise<number> {
  let most = 0
  try {
    for await (const _ of every(LOOK_MS, undefined, { signal }))
      most = Math.max(most, await memoryOfTree(processId))
  } catch (error) {
    if (!signal.aborted) throw error
  }
  return most
}

function noise(sigma: number) {
  return { type: 'gaussian', mean: 128, sigma } as const
}

/** Pictures with large shapes, edges and grain, each another part of one. */
async function takePhotos(folder: string): Promise<void> {
  await mkdir(folder)
  const [across, down] = [WIDTH + 100, HEIGHT + Math.ceil(PHOTOS / 100)]
  const blank = { channels: 3, background: '#808080' } as const
  const shapes = await sharp({ create: { ...blank, width: 60, height: 45, noise: noise(60) } })
    .resize({ width: across, height: down, fit: 'fill', kernel: 'cubic' })
    .png({ compressionLevel: 1 })
    .toBuffer()
  const grain = await sharp({ create: { ...blank, width: across, height: down, noise: noise(22) } })
    .png({ compressionLevel: 1 })
    .toBuffer()
  const { data, info: raw } = await sharp(shapes)
    .composite([{ input: grain, blend: 'soft-light' }])
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true })
  for (let number = 0; number < PHOTOS; number += 1) {
    const [left, top] = [number % 100, Math.floor(number / 100)]
    await sharp(data, { raw })
      .extract({ left, top, width: WIDTH, height: HEIGHT })
      .jpeg({ quality: 92 })
      .toFile(join(folder, `${number}.jpg`))
  }
}

async function megabytesIn(folder: string): Promise<number> {
  let bytes = 0
  for (const name of await readdir(folder)) bytes += (await stat(join(folder, name))).size
  return bytes / 1024 ** 2
}
