export const COOKIE = 'hyperactive'

/** Whether a request's cookies may be those of somebody who is signed in. */
export function hasSession(cookies: string | undefined): boolean {
  return cookies !== undefined && secretIn(cookies) !== undefined
}

/** The session's secret among a request's cookies. */
export function secretIn(cookies: string): string | undefined {
  return /(?:^|;\s*)(?:__Host-)?hyperactive=([A-Za-z0-9_-]{43})(?:;|$)/.exec(cookies)?.[1]
}
