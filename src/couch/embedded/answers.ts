import { isUtf8 } from 'node:buffer'
import type { ParameterizedContext } from 'koa'
import getRawBody from 'raw-body'
import { messageOf } from '../../errors.ts'

/** CouchDB's answer to a request that fails: an HTTP status with `{"error", "reason"}`. */
export class CouchAnswer extends Error {
  readonly status: number
  readonly error: string

  constructor(status: number, error: string, reason: string) {
    super(reason)
    this.status = status
    this.error = error
  }
}

/** What PouchDB throws: an error with the status and name that CouchDB would answer. */
interface PouchError {
  status?: number
  name?: string
  reason?: string
  message?: string
}

const LARGEST_BODY_BYTES = 64 * 1024 * 1024

/** Turns anything thrown while a request is served into CouchDB's answer. */
export function asAnswer(thrown: unknown): CouchAnswer {
  if (thrown instanceof CouchAnswer) return thrown
  const { status, name, reason, message } = thrown as PouchError
  if (typeof status !== 'number' || status < 400 || status > 599 || !name) {
    return new CouchAnswer(500, 'internal_server_error', messageOf(thrown))
  }
  if (status === 409) return new CouchAnswer(409, 'conflict', 'Document update conflict.')
  return new CouchAnswer(status, name, reason ?? message ?? name)
}

/** The request's body as a JSON object; an empty one is an empty object. */
export async function readJson(ctx: ParameterizedContext): Promise<Record<string, unknown>> {
  const value = (await readBody(ctx)) ?? {}
  if (typeof value !== 'object' || Array.isArray(value)) {
    throw new CouchAnswer(400, 'bad_request', 'Request body must be a JSON object')
  }
  return value as Record<string, unknown>
}

async function readBody(ctx: ParameterizedContext): Promise<unknown> {
  if (ctx.method === 'POST' && ctx.is('application/json') === false) {
    throw new CouchAnswer(415, 'bad_content_type', 'Content-Type must be application/json')
  }
  let bytes: Buffer
  try {
    bytes = await getRawBody(ctx.req, { limit: LARGEST_BODY_BYTES, length: ctx.request.length ?? null })
  } catch (error) {
    // The rest of the body is not read, so the connection cannot serve another request.
    ctx.set('Connection', 'close')
    if ((error as { status?: number }).status === 413) {
      throw new CouchAnswer(413, 'too_large', 'the request entity is too large')
    }
    throw new CouchAnswer(400, 'bad_request', 'the request was cut off')
  }
  if (bytes.length === 0) return undefined
  try {
    if (isUtf8(bytes)) return JSON.parse(bytes.toString('utf8'))
  } catch {
    // answered below
  }
  throw new CouchAnswer(400, 'bad_request', 'invalid UTF-8 JSON')
}

/** @throws CouchAnswer 405 that names the methods which an address takes, such as "GET,HEAD" */
export function refuseMethod(ctx: ParameterizedContext, allowed: string): never {
  ctx.set('Allow', allowed)
  throw new CouchAnswer(405, 'method_not_allowed', `Only ${allowed} allowed`)
}

/** A whole-number parameter, or undefined when it is absent. */
export function wholeNumber(name: string, value: unknown): number | undefined {
  if (value === undefined) return undefined
  const number = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value
  if (typeof number === 'number' && Number.isSafeInteger(number) && number >= 0) return number
  throw new CouchAnswer(400, 'query_parse_error', `Invalid value for ${name}: ${JSON.stringify(value)}`)
}

/** A true-or-false parameter, or undefined when it is absent. */
export function flag(name: string, value: unknown): boolean | undefined {
  if (value === undefined) return undefined
  if (value === true || value === 'true') return true
  if (value === false || value === 'false') return false
  throw new CouchAnswer(400, 'query_parse_error', `Invalid boolean parameter: ${name}`)
}
