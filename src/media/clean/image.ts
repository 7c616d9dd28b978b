import { open } from 'node:fs/promises'
import sharp from 'sharp'
import type { Metadata, Sharp } from 'sharp'
import { HyperactiveError } from '../../errors.ts'
import type { CleanLimits } from './limits.ts'
import { tooComplex, tooLarge, typeRefused, unreadable } from './problems.ts'

/** The one decoder of libvips that may read a type; all others are blocked, so that nothing is read as another. */
const DECODERS: Readonly<Record<string, string>> = {
  'image/jpeg': 'VipsForeignLoadJpeg',
  'image/png': 'VipsForeignLoadPng',
  'image/apng': 'VipsForeignLoadPng',
  'image/webp': 'VipsForeignLoadWebp',
  'image/avif': 'VipsForeignLoadHeif',
  'image/gif': 'VipsForeignLoadNsgif',
}

/** What the format can hold. */
const WEBP_SIDE = 16_383
const MOST_BUFFERED_PIXELS = 40_000_000

type Bounds = Pick<CleanLimits, 'imageSide' | 'imagePixels' | 'imageFrames'>

export interface CleanImage {
  type: string
  extension: string
  width: number
  height: number
}

/** Decodes nothing but this type from now on, one thread at a time, keeping nothing. */
export function decodeOnly(...types: string[]): void {
  sharp.concurrency(1)
  sharp.cache(false)
  sharp.block({ operation: ['VipsForeignLoad'] })
  sharp.unblock({ operation: types.flatMap((type) => DECODERS[type] ?? []) })
}

/** What the header says of size and frames; refuses what is beyond the bounds before any pixel is decoded. */
async function lookAt(input: string | Buffer, bounds: Bounds): Promise<Metadata> {
  const found = await sharp(input, { limitInputPixels: false }).metadata()
  const { width, height, pages: frames = 1 } = found
  if (Math.max(width, height) > bounds.imageSide)
    throw tooLarge(`${width} × ${height} pixels; a side has ${bounds.imageSide} at most`)
  if (frames > bounds.imageFrames)
    throw tooLarge(`${frames} frames; an animation has ${bounds.imageFrames} at most`)
  if (width * height * frames > bounds.imagePixels) {
    const size = `${width} × ${height} pixels${frames > 1 ? ` in ${frames} frames` : ''}`
    throw tooLarge(`${size}; all together ${bounds.imagePixels} at most`)
  }
  return found
}

async function isLossless(input: string): Promise<boolean> {
  const file = await open(input)
  try {
    const { buffer } = await file.read(Buffer.alloc(16), 0, 16, 0)
    return buffer.toString('latin1', 12) === 'VP8L'
  } finally {
    await file.close()
  }
}

/** The encoder for a picture, and what it makes. Quality stays high: smaller sizes are made from this one later. */
async function encoded(picture: Sharp, type: string, input: string, found: Metadata) {
  const { width, height, pages: frames = 1 } = found
  const pixels = width * height
  if (type === 'image/jpeg') {
    // Both keep the whole picture in memory once more.
    const fine = pixels <= MOST_BUFFERED_PIXELS
    return {
      type,
      extension: 'jpg',
      to: picture.jpeg({ quality: 90, progressive: fine, optimizeCoding: fine }),
    }
  }
  const isFlat = type === 'image/png' || type === 'image/apng' || (type === 'image/gif' && frames === 1)
  if (isFlat) return { type: 'image/png', extension: 'png', to: picture.png({ compressionLevel: 7 }) }
  if (Math.max(width, height) > WEBP_SIDE)
    throw tooLarge(`${width} × ${height} pixels; a side of such a picture has ${WEBP_SIDE} at most`)
  const lossless = type === 'image/gif' || (type === 'image/webp' && (await isLossless(input)))
  return {
    type: 'image/webp',
    extension: 'webp',
    to: picture.webp(lossless ? { lossless: true, effort: 2 } : { quality: 90, effort: 4 }),
  }
}

/**
 * Decodes a picture and writes its pixels anew: upright, in sRGB, with nothing else of the file in it. JPEG stays JPEG
 * and PNG stays PNG; GIF becomes PNG, or WebP where it moves; WebP and AVIF become WebP. Of a moving PNG or AVIF the
 * first frame stays.
 *
 * @throws HyperactiveError `media_too_large` before decoding, `media_unreadable` also for a picture that is cut off,
 *   `media_type_refused` for what this build of sharp does not decode
 */
export async function cleanImage(
  input: string,
  type: string,
  output: string,
  bounds: Bounds,
): Promise<CleanImage> {
  decodeOnly(type)
  let found: Metadata
  try {
    found = await lookAt(input, bounds)
  } catch (error) {
    if (error instanceof Error && /unsupported image format|compression format/i.test(error.message)) {
      if (type === 'image/avif') throw typeRefused('HEIF other than AVIF', 'save it as JPEG and send that')
      throw unreadable('it is no picture', error)
    }
    throw error instanceof HyperactiveError ? error : unreadable('it is no picture', error)
  }
  const frames = type === 'image/gif' || type === 'image/webp' ? (found.pages ?? 1) : 1
  try {
    const picture = sharp(input, {
      limitInputPixels: bounds.imagePixels,
      failOn: 'truncated',
      animated: frames > 1,
      sequentialRead: true,
    })
    // A moving picture cannot be turned; hardly any has a note that it should be.
    const upright = frames > 1 ? picture : picture.autoOrient()
    const { to, ...made } = await encoded(upright.toColourspace('srgb'), type, input, found)
    const { width, height, pageHeight } = await to.toFile(output)
    return { ...made, width, height: pageHeight ?? height }
  } catch (error) {
    if (error instanceof HyperactiveError) throw error
    if (error instanceof Error && /memory/i.test(error.message))
      throw tooComplex('its picture takes too much memory', error)
    throw unreadable('its picture cannot be decoded to the end', error)
  }
}

/** Pictures inside documents keep their format, because the document names it. */
const FORMATS = {
  'image/jpeg': 'jpeg',
  'image/png': 'png',
  'image/gif': 'gif',
  'image/webp': 'webp',
} as const

/** Types of pictures that {@link cleanEmbedded} writes anew. */
export const EMBEDDED_TYPES: readonly string[] = Object.keys(FORMATS)

/**
 * A picture from inside a document, written anew in its own format.
 *
 * @returns nothing where it is no such picture, is damaged, or is beyond the bounds
 */
export async function cleanEmbedded(
  bytes: Buffer,
  type: string,
  bounds: Bounds,
): Promise<Buffer | undefined> {
  const format = FORMATS[type as keyof typeof FORMATS]
  try {
    const { pages: frames = 1 } = await lookAt(bytes, bounds)
    const animated = frames > 1 && type !== 'image/png'
    const picture = sharp(bytes, { limitInputPixels: bounds.imagePixels, animated, failOn: 'none' })
    const upright = animated ? picture : picture.autoOrient()
    return await upright
      .toColourspace('srgb')
      .toFormat(format, format === 'jpeg' ? { quality: 90 } : {})
      .toBuffer()
  } catch {
    return undefined
  }
}
