import type { z } from 'zod'
import { LIMITS } from '../kinds/base/fields.ts'
import type { Fields } from '../ledger/document.ts'
import type { MediaTexts } from '../ledger/media.ts'
import type { WaitingFile } from '../media/uploads/uploads.ts'
import type { WebContext } from '../web/context.ts'
import type { SavedFile } from '../web/saving.ts'
import { UnfitBody } from './answers.ts'
import type { SentFiles } from './bodies.ts'
import type { uploadSchema } from './models.ts'
import { API } from './operations.ts'

/** What tokens are for that programs prove work on, and what their uploads are bound to. */
export const CHALLENGE = `${API}/challenge`

/**
 * The files of an item that names uploads: those that its fields have, and the uploads after them. Nothing where there
 * are none: the fields stay as they are.
 *
 * @throws {@link UnfitBody}
 */
export function filesNamed(
  { uploads }: WebContext['media'],
  fields: Fields,
  sent: SentFiles = [],
): SavedFile[] {
  if (sent.length === 0) return []
  const entries = (fields.files ?? []) as { file: string; media: string; caption?: string }[]
  const kept = entries.map(({ file, media, caption = '' }) => ({ sha256: file, media, caption }))
  const added = sent.map(({ upload, caption = '', ...texts }, index) => {
    const waiting = uploads?.find(upload, CHALLENGE)
    if (!waiting)
      throw new UnfitBody({ [`files.${index}.upload`]: 'is not here, or has waited for too long' })
    return { upload, file: waiting.file, caption, texts: said(texts) }
  })
  const digests = [...kept.map(({ sha256 }) => sha256), ...added.map(({ file }) => file.sha256)]
  if (digests.length > LIMITS.files) throw new UnfitBody({ files: `has more than ${LIMITS.files} entries` })
  if (new Set(digests).size < digests.length) throw new UnfitBody({ files: 'has an entry twice' })
  return [...kept, ...added]
}

/** Texts that say something. */
function said(texts: Readonly<Partial<Record<keyof MediaTexts, string | undefined>>>): MediaTexts {
  return Object.fromEntries(Object.entries(texts).filter(([, text]) => text !== undefined && text !== ''))
}

export function uploadOf({ id, file }: WaitingFile): z.infer<typeof uploadSchema> {
  const { type, bytes, sha256, width, height, durationMs } = file
  return {
    upload: id,
    type,
    bytes,
    sha256,
    ...(width === undefined ? {} : { width }),
    ...(height === undefined ? {} : { height }),
    ...(durationMs === undefined ? {} : { durationMs }),
  }
}
