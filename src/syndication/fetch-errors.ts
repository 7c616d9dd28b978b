import { HyperactiveError, messageOf } from '../errors.ts'
import { PORTS } from './public-address.ts'

export function badAddress(problem: string): HyperactiveError {
  return new HyperactiveError('feed_bad_address', `the address, or one that it redirects to, ${problem}`, {
    status: 400,
  })
}

export function notPublic(): HyperactiveError {
  const ports = [...PORTS].join(', ')
  const text = `the address leads to no machine on the public internet, or not to port ${ports}`
  return new HyperactiveError('feed_not_public', text, { status: 400 })
}

export function tooSlow(limitMs: number): HyperactiveError {
  return new HyperactiveError('feed_slow', `no whole answer within ${limitMs} ms`, { status: 504 })
}

export function tooLarge(mostBytes: number): HyperactiveError {
  return new HyperactiveError('feed_too_large', `the answer is larger than ${mostBytes} bytes`, {
    status: 502,
  })
}

/** What a request threw, as one of our errors. */
export function asFeedError(error: unknown): HyperactiveError {
  if (error instanceof HyperactiveError) return error
  const { code = '', name } = error as { code?: string; name?: string }
  if (name === 'HTTPParserError' || /^(Z_|ERR__|ERR_BROTLI|UND_ERR_HEADERS_OVERFLOW$)/.test(code)) {
    const text = `the answer cannot be read: ${messageOf(error)}`
    return new HyperactiveError('feed_bad_answer', text, { status: 502, cause: error })
  }
  const text = `no answer: ${messageOf(error)}`
  return new HyperactiveError('feed_unreachable', text, { status: 502, cause: error })
}
