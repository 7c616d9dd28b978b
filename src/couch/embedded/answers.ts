import type { ParameterizedContext } from 'koa'
import getRawBody from 'raw-body'

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
  if (status === undefined || status < 400 || status > 599 || !name) {
    return new CouchAnswer(500, 'internal_server_error', message ?? 'unknown')
  }
  if (status === 409) return new CouchAnswer(409, 'conflict', 'Document update conflict.')
  return new CouchAnswer(status, name, reason ?? message ?? name)
}

/** The request's body as JSON; an empty one is an empty object. */
export async function readJson(ctx: ParameterizedContext): Promise<Record<string, unknown>> {
  let text: string
  try {
    text = (await getRawBody(ctx.req, { limit: LARGEST_BODY_BYTES })).toString('utf8')
  } catch (error) {
    if ((error as { status?: number }).status === 413) {
      throw new CouchAnswer(413, 'too_large', 'the request entity is too large')
    }
    throw new CouchAnswer(400, 'bad_request', 'the request was cut off')
  }
  if (text.trim() === '') return {}
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new CouchAnswer(400, 'bad_request', 'invalid UTF-8 JSON')
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new CouchAnswer(400, 'bad_request', 'Request body must be a JSON object')
  }
  return value as Record<string, unknown>
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
