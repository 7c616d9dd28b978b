/** A validator that is longer, or of other characters, is not kept. */
const VALIDATOR = /^[\u0020-\u007e]{1,300}$/

/** The first value of a header. */
export function one(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value
}

/** `ETag` or `Last-Modified`, if it can be sent back. */
export function validator(value: string | string[] | undefined): string | undefined {
  const text = one(value)
  return text !== undefined && VALIDATOR.test(text) ? text : undefined
}

/**
 * Milliseconds that `Retry-After` asks for (RFC 9110, 10.2.3): seconds, or a date; undefined for anything else.
 *
 * @param nowMs milliseconds since 1970
 */
export function readRetryAfter(value: string | undefined, nowMs: number): number | undefined {
  if (value === undefined) return undefined
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1000
  const dateMs = /^[A-Z][a-z]{2}[^\n]{0,40} GMT$/.test(value) ? Date.parse(value) : Number.NaN
  return Number.isNaN(dateMs) ? undefined : Math.max(dateMs - nowMs, 0)
}
