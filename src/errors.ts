/** Options of a {@link HyperactiveError}; `status` is the HTTP status a visitor would see. */
interface ErrorOptions {
  status?: number
  /** Whether the message may be shown to a client. */
  expose?: boolean
  /** When it is worth another try. */
  retryAfterSeconds?: number
  cause?: unknown
}

/**
 * The base of every error that this program throws on purpose. `code` is stable and listed in docs/errors.md;
 * the message says what failed, on what, and what to do. It never carries a secret or a person's address.
 */
export class HyperactiveError extends Error {
  readonly code: string
  readonly status: number
  readonly expose: boolean
  readonly retryAfterSeconds: number | undefined

  constructor(
    code: string,
    message: string,
    { status = 500, expose = status < 500, retryAfterSeconds, cause }: ErrorOptions = {},
  ) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'HyperactiveError'
    this.code = code
    this.status = status
    this.expose = expose
    this.retryAfterSeconds = retryAfterSeconds
  }
}

/** The one-line text of anything thrown, for logs and the terminal. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
