import { open } from 'node:fs/promises'
import { fileTypeFromFile } from 'file-type'
import { Parser } from 'htmlparser2'
import { typeRefused, unreadable } from './problems.ts'
import { looksLikeTable, textOf } from './text.ts'
import { ACCEPTED, SAME_AS } from './types.ts'

const HEAD_BYTES = 64 * 1024
/** Types with so short a mark that a text may begin like one. */
const SHORT_MARKS = new Set(['image/bmp', 'application/x-msdownload'])

const ADVICE: Readonly<Record<string, string>> = {
  'image/heic': 'save it as JPEG and send that',
  'image/heif': 'save it as JPEG and send that',
  'image/tiff': 'save it as JPEG or PNG and send that',
  'image/bmp': 'save it as PNG and send that',
  'application/rtf': 'save it as ODT or PDF and send that',
  'application/x-cfb': 'save it in the newer format (DOCX, XLSX, PPTX), or as ODF or PDF, and send that',
  'video/x-msvideo': 'convert it to MP4 or WebM and send that',
}

/** The first bytes of a file, and whether they are all of it. */
export async function headOf(file: string): Promise<{ head: Buffer; whole: boolean }> {
  const opened = await open(file)
  try {
    const { buffer, bytesRead } = await opened.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0)
    return { head: buffer.subarray(0, bytesRead), whole: bytesRead < HEAD_BYTES }
  } finally {
    await opened.close()
  }
}

/** The name of the element that a text has around everything, when it is XML or HTML. */
function outermost(text: string): string | undefined {
  if (!text.trimStart().startsWith('<')) return undefined
  let name: string | undefined
  const parser = new Parser({ onopentagname: (found) => (name ??= found) }, { xmlMode: true })
  parser.write(text.slice(0, HEAD_BYTES))
  return name
}

function typeOfText(text: string, whole: boolean): string {
  const root = outermost(text)?.toLowerCase()
  if (root === 'svg' || root?.endsWith(':svg')) return 'image/svg+xml'
  if (root === 'html' || /^\s*<!doctype\s+html/i.test(text)) return 'text/html'
  if (text.startsWith('{\\rtf')) return 'application/rtf'
  if (text.startsWith('#EXTM3U')) return 'application/vnd.apple.mpegurl'
  return looksLikeTable(text, whole) ? 'text/csv' : 'text/plain'
}

/**
 * The MIME type of a file by its content alone; its name is not looked at. It says how the file begins; whether all of
 * it is what it begins as shows when it is cleaned.
 *
 * @throws HyperactiveError `media_type_refused`, with what was found, where it is not one of {@link ACCEPTED};
 *   `media_unreadable` for an empty file
 */
export async function typeOf(file: string): Promise<string> {
  const { head, whole } = await headOf(file)
  if (head.length === 0) throw unreadable('it is empty')
  const mime = (await fileTypeFromFile(file))?.mime.replace(/;.*/, '')
  const detected = mime === undefined ? undefined : (SAME_AS[mime] ?? mime)
  if (detected !== undefined && detected in ACCEPTED) return detected
  if (detected === undefined || SHORT_MARKS.has(detected) || detected === 'application/xml') {
    const text = textOf(head, whole)
    const type = text === undefined ? undefined : typeOfText(text, whole)
    const isMarkup = detected === 'application/xml' && type !== 'image/svg+xml'
    if (type !== undefined && type in ACCEPTED && !isMarkup) return type
    if (type !== undefined && !isMarkup) throw typeRefused(type, ADVICE[type])
  }
  throw typeRefused(detected ?? 'nothing that is known', ADVICE[detected ?? ''])
}
