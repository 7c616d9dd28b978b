import { HyperactiveError, messageOf } from '../errors.ts'

/** What one CouchDB request takes; the body is JSON, or bytes as an attachment's are. */
export interface CouchRequest {
  method?: 'GET' | 'PUT' | 'POST' | 'DELETE'
  db?: string
  path?: string
  qs?: Record<string, unknown>
  body?: unknown
  bytes?: Uint8Array
  signal?: AbortSignal | undefined
}

/** Sends one request and gives the parsed JSON answer, or a Buffer of what is neither JSON nor text. */
export type CouchSend = <Answer>(request: CouchRequest) => Promise<Answer>

/** What went wrong with a request, as one of our errors: `couch_<status>`, or `store_unreachable` without an answer. */
export function asCouchError(
  error: unknown,
  { method = 'GET', db = '', path = '' }: CouchRequest,
): HyperactiveError {
  const {
    statusCode,
    error: name,
    reason,
  } = error as { statusCode?: number; error?: string; reason?: string }
  const what = `CouchDB ${method} /${db}${path ? `/${path.slice(0, 80)}` : ''}`
  if (statusCode === undefined) {
    const text = `${what} got no answer (${messageOf(error).slice(0, 200)}); check that the store is running`
    return new HyperactiveError('store_unreachable', text, { status: 503, expose: false })
  }
  const text = `${what} answered ${statusCode} ${name ?? ''}: ${reason ?? messageOf(error)}`
  return new HyperactiveError(`couch_${statusCode}`, text, { status: statusCode, expose: false })
}

/** Whether an error is CouchDB's answer with this HTTP status. */
export function isCouchError(error: unknown, status: number): boolean {
  return error instanceof HyperactiveError && error.code === `couch_${status}`
}

/** An address as it may be shown: without its password. */
export function withoutPassword(text: string): string {
  const url = new URL(text)
  if (url.password) url.password = '***'
  return url.href
}
