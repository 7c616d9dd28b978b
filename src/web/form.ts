import type { Readable } from 'node:stream'
import type { Middleware, ParameterizedContext } from 'koa'
import getRawBody from 'raw-body'
import { HyperactiveError } from '../errors.ts'
import { LIMITS } from '../kinds/base/fields.ts'
import { notTaken } from '../media/uploads/problems.ts'
import type { WebContext } from './context.ts'
import { discard, receiveMultipart } from './multipart.ts'
import type { SentFile, SentForm } from './multipart.ts'
import { isCrossSite } from './security.ts'
import { FormTokens } from './token.ts'

type FormsContext = Pick<WebContext, 'config' | 'nodeKey' | 'media'>

/** The fields of a sent form. */
export type Form = ReadonlyMap<string, string>

/** Fields of a form that are read unless a page has more. */
const MOST_FIELDS = 100
/** Each file of an item has some of its own. */
export const MOST_FIELDS_WITH_FILES = MOST_FIELDS + 8 * LIMITS.files

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
  if (body === 'too-large' || ('length' in body && body.length > limit)) {
    const text = `The form is too large: ${Math.floor(limit / 1024)} KiB are allowed. Go back with your browser, your text is still there, and shorten it.`
    throw new HyperactiveError('form_too_large', text, { status: 413 })
  }
  if ('pairs' in body) return new Map(body.pairs.map(([name, value]) => [fromBytes(name), fromBytes(value)]))
  return parseForm(body.toString('latin1'), mostFields)
}

/** The files that came with a form, which {@link receiveForms} has written to the disk. */
export function filesSentWith(ctx: ParameterizedContext): readonly SentFile[] {
  const { body } = ctx.state as WithBody
  return typeof body === 'object' && 'files' in body ? body.files : []
}

interface WithBody {
  body?: Buffer | SentForm | 'other' | 'cut-off' | 'too-large'
}

/** A form that takes longer to arrive is given up. */
const LONGEST_MS = 5 * 60_000

/**
 * Reads the body of a form before anything is decided about who sends it and what they may: a body can take its time,
 * and rights that were taken meanwhile are not to count any more. Files are written to the disk, if the form that this
 * node gave out for the address is what brings them; who may take them decides later. What nobody took is removed.
 */
export function receiveForms({ config, nodeKey, media }: FormsContext): Middleware {
  const limit = config.limits.formBytes
  const tokens = new FormTokens(nodeKey)
  return async (ctx, next) => {
    if (ctx.method !== 'POST') {
      await next()
      return
    }
    const state = ctx.state as WithBody
    if (ctx.is('application/x-www-form-urlencoded')) state.body = await receive(ctx, limit)
    else if (ctx.is('multipart/form-data')) {
      state.body = await receiveMultipart(ctx.req, {
        limit,
        mostFields: MOST_FIELDS_WITH_FILES,
        mayBring: (pairs) =>
          !isCrossSite(ctx, config.url) && tokens.isValid(new Map(pairs).get('token') ?? '', ctx.path),
        receive: (stream, name) =>
          media.uploads ? media.uploads.receive(stream, name) : Promise.reject(unwanted(stream)),
      })
    } else state.body = 'other'
    try {
      await next()
    } finally {
      await discard({ files: [...filesSentWith(ctx)] })
    }
  }
}

/** A mirror's forms bring no files: what comes is dropped. */
function unwanted(stream: Readable): HyperactiveError {
  stream.resume()
  return notTaken()
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

/** Text of bytes that stand in a string, one a letter. */
function fromBytes(bytes: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(
      new Uint8Array(Buffer.from(bytes, 'latin1')),
    )
  } catch {
    throw notUtf8()
  }
}

function notUtf8(): HyperactiveError {
  const message = 'The form is not valid UTF-8 text. Please send it again with a browser that writes UTF-8.'
  return new HyperactiveError('form_not_utf8', message, { status: 400 })
}

function decode(text: string): string {
  try {
    // Raw bytes above 127 are not percent-encoded as the standard asks, but may still be UTF-8.
    const encoded = text
      .replaceAll('+', ' ')
      .replaceAll(/[\u0080-\u00ff]/g, (letter) => `%${letter.charCodeAt(0).toString(16)}`)
    return decodeURIComponent(encoded)
  } catch {
    throw notUtf8()
  }
}

/** 303, so that reloading the page that follows sends nothing again. */
export function redirect(ctx: ParameterizedContext, location: string): void {
  ctx.set('Cache-Control', 'no-store')
  ctx.redirect(location)
  ctx.status = 303
}
