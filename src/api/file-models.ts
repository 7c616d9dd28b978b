import { z } from 'zod'
import { filePath } from '../pages/files.ts'
import { filesShown } from '../pages/enclosures.ts'
import type { KnownFile } from '../project/media.ts'
import type { Cover, SiteItem } from '../project/site-item.ts'

const plainFile = {
  url: z.url(),
  /** SHA-256 of its bytes. */
  sha256: z.string(),
  type: z.string(),
  bytes: z.int(),
  /** Pixels of pictures and film. */
  width: z.int().optional(),
  height: z.int().optional(),
  /** Of sound and film. */
  durationMs: z.int().optional(),
}

/** A file of an item, with what was made of it. */
export const fileSchema = z.object({
  ...plainFile,
  name: z.string().optional(),
  /** For who does not see or hear it. */
  alt: z.string().optional(),
  caption: z.string().optional(),
  credit: z.string().optional(),
  licence: z.string().optional(),
  /** Smaller pictures, and sound and film that more browsers play. */
  made: z.array(z.object({ ...plainFile, as: z.string() })),
})

/** The picture that stands for an item in a listing. */
export const coverSchema = z.object({
  url: z.url(),
  width: z.int().optional(),
  height: z.int().optional(),
  alt: z.string().optional(),
})

/** An item's files in their order; none of what is hidden. */
export function filesOfItem(item: SiteItem, url: string): z.infer<typeof fileSchema>[] {
  return filesShown(item).map(({ name, alt, caption, credit, licence, made, ...file }) => ({
    ...plain(file, url),
    ...(name === undefined ? {} : { name }),
    ...(alt === undefined ? {} : { alt }),
    ...(caption === undefined ? {} : { caption }),
    ...(credit === undefined ? {} : { credit }),
    ...(licence === undefined ? {} : { licence }),
    made: made.map((one) => ({ ...plain(one, url), as: one.as })),
  }))
}

export function coverOfRow({ small, alt, ...whole }: Cover, url: string): z.infer<typeof coverSchema> {
  const { width, height, ...file } = small ?? whole
  return {
    url: url + filePath(file),
    ...(width === undefined ? {} : { width }),
    ...(height === undefined ? {} : { height }),
    ...(alt === undefined ? {} : { alt }),
  }
}

function plain(file: KnownFile, url: string) {
  const { sha256, type, bytes, width, height, durationMs } = file
  return {
    url: url + filePath(file),
    sha256,
    type,
    bytes,
    ...(width === undefined ? {} : { width }),
    ...(height === undefined ? {} : { height }),
    ...(durationMs === undefined ? {} : { durationMs }),
  }
}
