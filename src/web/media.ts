import type { Router } from '@koa/router'
import { allows } from '../accounts/permissions.ts'
import { HyperactiveError } from '../errors.ts'
import { isSha256 } from '../ledger/manifest.ts'
import { serveHeaders } from '../media/serve-headers.ts'
import { rangeOf } from '../pages/store/range.ts'
import type { WebContext } from './context.ts'
import { may } from './may.ts'
import { personOf } from './people/person.ts'

/** How long browsers and proxies use a file before they ask whether it is still there, in seconds. */
export const FRESH_S = 600

/** Files under their digests: whole, or the part that was asked for (RFC 9110, section 14). */
export function mediaRoutes(router: Router, web: WebContext): void {
  router.get('/files/:file', may('read'), async (ctx) => {
    const [sha256 = '', extension, ...rest] = (ctx.params.file ?? '').split('.')
    const row = isSha256(sha256) && rest.length === 0 ? await web.media.served.find(sha256) : undefined
    if (!row || row.extension !== extension) throw gone()
    // Moderators see what they decide on.
    const person = personOf(ctx)
    const isForAll = row.isShown
    if (!isForAll && !(person && allows('moderate', person.roles))) throw gone()
    const etag = `"${sha256}"`
    ctx.set(serveHeaders(row))
    ctx.set('Cache-Control', isForAll ? `public, max-age=${FRESH_S}` : 'no-store')
    ctx.set('Accept-Ranges', 'bytes')
    ctx.set('ETag', etag)
    ctx.status = 200
    if (ctx.fresh) {
      ctx.status = 304
      return
    }
    const range = rangeOf(ctx.headers, { bytes: row.bytes, etag })
    if (range === 'none') {
      ctx.set('Content-Range', `bytes */${row.bytes}`)
      ctx.status = 416
      // Whoever asks for bytes is told in headers.
      ctx.body = ''
      return
    }
    const { first, last } = range ?? { first: 0, last: row.bytes - 1 }
    if (range) {
      ctx.status = 206
      ctx.set('Content-Range', `bytes ${first}-${last}/${row.bytes}`)
    }
    if (ctx.method === 'HEAD') {
      ctx.length = last - first + 1
      return
    }
    const { stream } = await web.media.blobs.read(sha256, { first, last })
    ctx.body = stream
    ctx.length = last - first + 1
    // A stream as the body takes its own guess at the type.
    ctx.set('Content-Type', serveHeaders(row)['Content-Type'] ?? '')
  })
}

function gone(): HyperactiveError {
  return new HyperactiveError('unknown_file', 'There is no such file here.', { status: 404 })
}
