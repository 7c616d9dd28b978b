import type { ParameterizedContext } from 'koa'
import getRawBody from 'raw-body'

/** An answer in CouchDB's form: a status with `{"error", "reason"}`. */
export class GatewayAnswer extends Error {
  readonly status: number
  readonly error: string

  constructor(status: number, error: string, reason: string) {
    super(reason)
    this.status = status
    this.error = error
  }
}

/**
 * Reads a JSON object of at most `limit` bytes. A larger one is cut off as soon as that is known, and the connection
 * is closed.
 *
 * @throws GatewayAnswer 400 or 413
 */
export async function readJson(ctx: ParameterizedContext, limit: number): Promise<Record<string, unknown>> {
  let bytes: Buffer
  try {
    bytes = await getRawBody(ctx.req, { limit, length: ctx.get('content-length') || undefined } as {
      limit: number
    })
  } catch (error) {
    ctx.set('Connection', 'close')
    if ((error as { status?: number }).status === 413) {
      throw new GatewayAnswer(413, 'too_large', `a request may have ${limit} bytes`)
    }
    throw new GatewayAnswer(400, 'bad_request', 'the request was cut off')
  }
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return value as Record<string, unknown>
  } catch {
    // answered below
  }
  throw new GatewayAnswer(400, 'bad_request', 'the body is not a JSON object in UTF-8')
}
