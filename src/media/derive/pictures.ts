import { join } from 'node:path'
import sharp from 'sharp'
import type { Sharp } from 'sharp'
import { decodeOnly } from '../clean/image.ts'
import type { Made } from './made.ts'
import { WIDTHS } from './sorts.ts'

/** What formats can hold. */
const MOST_SIDE: Readonly<Record<string, number>> = { avif: 16_384, webp: 16_383, jpeg: 65_535 }

/**
 * Encoders, tuned so that the three look alike at their sizes. More effort for AVIF makes its files 6 % smaller and takes
 * seven times as long.
 */
const ENCODERS: Readonly<Record<string, (picture: Sharp) => Sharp>> = {
  avif: (picture) => picture.avif({ quality: 55, effort: 0, chromaSubsampling: '4:2:0' }),
  webp: (picture) => picture.webp({ quality: 74, effort: 4 }),
  jpeg: (picture) => picture.jpeg({ quality: 78, progressive: true, optimizeCoding: true }),
}
const MOVING = (picture: Sharp) => picture.webp({ quality: 74, effort: 2 })

export interface PictureJob {
  input: string
  type: string
  folder: string
  pixels: number
}

type Size = Pick<Made, 'as'> & { width: number }

/** Makes a picture in sizes below its own, each as AVIF, WebP and JPEG; a moving one and a transparent one not as all. */
export async function makePictures({ input, type, folder, pixels }: PictureJob): Promise<Made[]> {
  decodeOnly(type)
  const { width, pages = 1 } = await sharp(input).metadata()
  const sizes = WIDTHS.filter((each) => each < width).map((each) => ({ as: `w${each}`, width: each }))
  if (pages > 1) return makeMoving(input, sizes, { folder, pixels })
  return makeFlat(input, sizes, { folder, pixels, formats: ['avif', 'webp', 'jpeg'] })
}

/** Makes what stands for a film: the frame itself, and a small one of it for listings. */
export async function makePosters({ input, type, folder, pixels }: PictureJob): Promise<Made[]> {
  decodeOnly(type)
  const { width } = await sharp(input).metadata()
  const sizes = [
    { as: 'poster', width },
    ...(width > WIDTHS[0] ? [{ as: `w${WIDTHS[0]}`, width: WIDTHS[0] }] : []),
  ]
  return makeFlat(input, sizes, { folder, pixels, formats: ['jpeg'] })
}

interface Where {
  folder: string
  pixels: number
}

async function makeMoving(input: string, sizes: readonly Size[], { folder, pixels }: Where): Promise<Made[]> {
  const made: Made[] = []
  for (const { as, width } of sizes) {
    const file = `${as}.webp`
    const small = sharp(input, { animated: true, limitInputPixels: pixels }).resize({ width })
    const info = await MOVING(small).toFile(join(folder, file))
    made.push({
      file,
      as,
      type: 'image/webp',
      extension: 'webp',
      width,
      height: info.pageHeight ?? info.height,
    })
  }
  return made
}

/** Each size is made of the next larger one, so that the picture is decoded once. */
async function makeFlat(
  input: string,
  sizes: readonly Size[],
  { folder, pixels, formats }: Where & { formats: readonly string[] },
): Promise<Made[]> {
  const made: Made[] = []
  const { width: fullWidth, height: fullHeight } = await sharp(input).metadata()
  let source = sharp(input, { limitInputPixels: pixels, failOn: 'none', sequentialRead: true })
  let isOpaque: boolean | undefined
  for (const { as, width } of sizes.toSorted((a, b) => b.width - a.width)) {
    const height = Math.max(1, Math.round((width * fullHeight) / fullWidth))
    const { data, info: raw } = await source
      .resize({ width, height, fit: 'fill' })
      .raw()
      .toBuffer({ resolveWithObject: true })
    source = sharp(data, { raw })
    isOpaque ??= raw.channels % 2 === 1 || (await source.clone().stats()).isOpaque
    // Which ground a transparent picture is to stand on, nobody has said: JPEG would need one.
    const possible = formats.filter(
      (format) => (isOpaque || format !== 'jpeg') && Math.max(width, height) <= (MOST_SIDE[format] ?? 0),
    )
    for (const format of possible) {
      const extension = format === 'jpeg' ? 'jpg' : format
      const file = `${as}.${extension}`
      const picture = isOpaque ? source.clone().removeAlpha() : source.clone()
      await (ENCODERS[format]?.(picture) ?? picture).toFile(join(folder, file))
      made.push({ file, as, type: `image/${format}`, extension, width, height })
    }
  }
  return made
}
