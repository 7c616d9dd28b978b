import type { Context, Next, ParameterizedContext } from 'koa'

const POLICY = [
  "default-src 'none'",
  "style-src 'self'",
  "img-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** What a page may do beside showing itself. */
export interface Allowed {
  /** Run this node's own scripts and workers, which ask this node. */
  scripts?: boolean
  /** Play this node's sound and film. */
  media?: boolean
}

/** Lets a page do more than others; without it a page runs and plays nothing. */
export function allow(ctx: ParameterizedContext, { scripts = false, media = false }: Allowed): void {
  const more = [
    ...(scripts ? ["script-src 'self'", "worker-src 'self'", "connect-src 'self'"] : []),
    ...(media ? ["media-src 'self'"] : []),
  ]
  ctx.set('Content-Security-Policy', [POLICY, ...more].join('; '))
}

/** Lets pages of other sites show this one in a frame. It has nothing to be pressed but what plays. */
export function allowFraming(ctx: ParameterizedContext): void {
  const policy = POLICY.replace("frame-ancestors 'none'", 'frame-ancestors *').replace(
    "form-action 'self'",
    "form-action 'none'",
  )
  ctx.set('Content-Security-Policy', `${policy}; media-src 'self'`)
}

/**
 * Headers of every page. Addresses of edit pages hold secrets, so no page tells another where its reader came from.
 */
export async function securityHeaders(ctx: Context, next: Next): Promise<void> {
  ctx.set('Content-Security-Policy', POLICY)
  ctx.set('X-Content-Type-Options', 'nosniff')
  ctx.set('Referrer-Policy', 'no-referrer')
  ctx.set('Permissions-Policy', 'camera=(), geolocation=(), microphone=(), interest-cohort=()')
  ctx.set('Cross-Origin-Opener-Policy', 'same-origin')
  await next()
}

/**
 * Whether a form was sent by a page of another site. Browsers say so in `Sec-Fetch-Site`; older ones name the page's
 * `Origin`, which is "null" where a page tells nobody where it is, as ours do.
 */
export function isCrossSite(ctx: Context, publicUrl: string | undefined): boolean {
  const site = ctx.get('sec-fetch-site')
  if (site !== '') return site !== 'same-origin' && site !== 'none'
  const origin = ctx.get('origin')
  if (origin === '' || origin === 'null') return false
  const hosts = [ctx.host, publicUrl === undefined ? '' : new URL(publicUrl).host]
  return !URL.canParse(origin) || !hosts.includes(new URL(origin).host)
}
