import type { ParameterizedContext } from 'koa'
import getRawBody from 'raw-body'
import { HyperactiveError } from '../errors.ts'

/** The fields of a sent form. */
export type Form = ReadonlyMap<string, string>

/** Fields of a form that are read unless a page has more. */
const MOST_FIELDS = 100

/**
 * Reads an `application/x-www-form-urlencoded` body of at most `limit` bytes.
 *
 * @param mostFields what is beyond them is not read
 * @throws HyperactiveError `form_too_large` (413), `form_not_utf8` (400), `form_type` (415)
 */
export async function readForm(
  ctx: ParameterizedContext,
  limit: number,
  mostFields = MOST_FIELDS,
): Promise<Form> {
  if (!ctx.is('application/x-www-form-urlencoded')) {
    throw new HyperactiveError('form_type', 'This page takes forms only.', { status: 415 })
  }
  let bytes: Buffer
  try {
    bytes = await getRawBody(ctx.req, { limit, length: ctx.get('content-length') || undefined } as {
      limit: number
    })
  } catch (error) {
    if ((error as { status?: number }).status !== 413) {
      throw new HyperactiveError('form_cut_off', 'The form did not arrive whole. Please send it again.', {
        status: 400,
      })
    }
    // What is still on its way is read and dropped, so that the browser gets to see the answer.
    ctx.req.resume()
    const text = `The form is too large: ${Math.floor(limit / 1024)} KiB are allowed. Go back with your browser, your text is still there, and shorten it.`
    throw new HyperactiveError('form_too_large', text, { status: 413 })
  }
  return parseForm(bytes.toString('latin1'), mostFields)
}

/** Decodes a form strictly: percent signs must stand before two hex digits, and the bytes must be UTF-8. */
export function parseForm(body: string, mostFields = MOST_FIELDS): Form {
  const form = new Map<string, string>()
  for (const pair of body.split('&', mostFields)) {
    if (pair === '') continue
    const equals = pair.indexOf('=')
    const [name, value] = equals === -1 ? [pair, ''] : [pair.slice(0, equals), pair.slice(equals + 1)]
    form.set(decode(name), decode(value).replaceAll(/\r\n?/g, '\n'))
  }
  return form
}

function decode(text: string): string {
  try {
    // Raw bytes above 127 are not percent-encoded as the standard asks, but may still be UTF-8.
    const encoded = text
      .replaceAll('+', ' ')
      .replaceAll(/[\u0080-\u00ff]/g, (letter) => `%${letter.charCodeAt(0).toString(16)}`)
    return decodeURIComponent(encoded)
  } catch {
    const message = 'The form is not valid UTF-8 text. Please send it again with a browser that writes UTF-8.'
    throw new HyperactiveError('form_not_utf8', message, { status: 400 })
  }
}

/** 303, so that reloading the page that follows sends nothing again. */
export function redirect(ctx: ParameterizedContext, location: string): void {
  ctx.set('Cache-Control', 'no-store')
  ctx.redirect(location)
  ctx.status = 303
}
