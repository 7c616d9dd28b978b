import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import type { Made } from './made.ts'

const [WIDTH, HEIGHT] = [1600, 200]
/** Neither lost on a light page nor on a dark one. */
const GREY = 128
const [LOUDEST, AVERAGE] = [120, 255]
const SAMPLE_BYTES = 2
/** What is quieter than this is not blown up to the whole height. */
const LEAST_PEAK = 0.05

export interface WaveJob {
  /** Samples of one channel, 16 bits each, little-endian, and nothing else. */
  input: string
  folder: string
}

interface Column {
  peak: number
  squares: number
  samples: number
}

/** Draws how loud a sound is over its time: the peaks of each moment, and in front of them its average. */
export async function makeWave({ input, folder }: WaveJob): Promise<Made[]> {
  const columns = await measure(input)
  const loudest = Math.max(LEAST_PEAK, ...columns.map(({ peak }) => peak))
  const pixels = Buffer.alloc(WIDTH * HEIGHT * 2)
  for (const [x, { peak, squares, samples }] of columns.entries()) {
    draw(pixels, x, peak / loudest, LOUDEST)
    draw(pixels, x, Math.sqrt(squares / Math.max(1, samples)) / loudest, AVERAGE)
  }
  const file = 'wave.png'
  const picture = sharp(pixels, { raw: { width: WIDTH, height: HEIGHT, channels: 2 } })
  await picture.toColourspace('b-w').png({ compressionLevel: 9 }).toFile(join(folder, file))
  return [{ file, as: 'wave', type: 'image/png', extension: 'png', width: WIDTH, height: HEIGHT }]
}

async function measure(input: string): Promise<Column[]> {
  const samples = Math.floor((await stat(input)).size / SAMPLE_BYTES)
  const columns = Array.from({ length: WIDTH }, () => ({ peak: 0, squares: 0, samples: 0 }))
  let index = 0
  let rest: Buffer = Buffer.alloc(0)
  for await (const chunk of createReadStream(input, { highWaterMark: 256 * 1024 }) as AsyncIterable<Buffer>) {
    const bytes = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk
    const whole = bytes.length - (bytes.length % SAMPLE_BYTES)
    for (let at = 0; at < whole; at += SAMPLE_BYTES, index += 1) {
      const column = columns[Math.floor((index / samples) * WIDTH)]
      if (!column) continue
      const value = Math.abs(bytes.readInt16LE(at)) / 32_768
      column.peak = Math.max(column.peak, value)
      column.squares += value * value
      column.samples += 1
    }
    rest = bytes.subarray(whole)
  }
  return columns
}

/** A bar around the middle, at least one pixel high, so that silence is a line. */
function draw(pixels: Buffer, x: number, share: number, alpha: number): void {
  const half = Math.max(1, Math.round((Math.min(1, share) * HEIGHT) / 2))
  for (let y = HEIGHT / 2 - half; y < HEIGHT / 2 + half; y += 1) {
    const at = (y * WIDTH + x) * 2
    pixels[at] = GREY
    pixels[at + 1] = alpha
  }
}
