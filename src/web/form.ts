import type { Middleware, ParameterizedContext } from 'koa'
import getRawBody from 'raw-body'
import { HyperactiveError } from '../errors.ts'

/** The fields of a sent form. */
export type Form = ReadonlyMap<string, string>

/** Fields of a form that are read unless a page has more. */
const MOST_FIELDS = 100

/**
 * The form that was sent, of at most `limit` bytes; {@link receiveForms} has read it.
 *
 * @param mostFields what is beyond them is not read
 * @throws HyperactiveError `form_too_large` (413), `form_not_utf8` (400), `form_type` (415)
 */
export async function readForm(
  ctx: ParameterizedContext,
  limit: number,
  mostFields = MOST_FIELDS,
): Promise<Form> {
  const { body } = ctx.state as WithBody
  if (!body || body === 'other')
    throw new HyperactiveError('form_type', 'This page takes forms only.', { status: 415 })
  if (body === 'cut-off')
    throw new HyperactiveError('form_cut_off', 'The form did not arrive whole. Please send it again.', {
      status: 400,
    })
  if (body === 'too-large' || body.length > limit) {
    const text = `The form is too large: ${Math.floor(limit / 1024)} KiB are allowed. Go back with your browser, your text is still there, and shorten it.`
    throw new HyperactiveError('form_too_large', text, { status: 413 })
  }
  return parseForm(body.toString('latin1'), mostFields)
}

interface WithBody {
  body?: Buffer | 'other' | 'cut-off' | 'too-large'
}

/** A form that takes longer to arrive is given up. */
const LONGEST_MS = 5 * 60_000

/**
 * Reads the body of a form before anything is decided about who sends it and what they may: a body can take its time,
 * and rights that were taken meanwhile are not to count any more.
 */
export function receiveForms(limit: number): Middleware {
  return async (ctx, next) => {
    if (ctx.method === 'POST') {
      const state = ctx.state as WithBody
      state.body = ctx.is('application/x-www-form-urlencoded') ? await receive(ctx, limit) : 'other'
    }
    await next()
  }
}

async function receive(ctx: ParameterizedContext, limit: number): Promise<Buffer | 'cut-off' | 'too-large'> {
  const timer = setTimeout(() => ctx.req.destroy(), LONGEST_MS)
  try {
    const length = ctx.get('content-length') || undefined
    return await getRawBody(ctx.req, { limit, length } as { limit: number })
  } catch (error) {
    if ((error as { status?: number }).status !== 413) return 'cut-off'
    // What is still on its way is read and dropped, so that the browser gets to see the answer.
    ctx.req.resume()
    return 'too-large'
  } finally {
    clearTimeout(timer)
  }
}

/** The form of a request, whatever became of it; undefined where there is none that can be read. */
export async function formOf(ctx: ParameterizedContext, limit: number): Promise<Form | undefined> {
  if (ctx.method !== 'POST') return undefined
  return readForm(ctx, limit).catch(() => undefined)
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
