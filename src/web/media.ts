import type { Router } from '@koa/router'
import { allows } from '../accounts/permissions.ts'
import { HyperactiveError } from '../errors.ts'
import { isSha256 } from '../ledger/manifest.ts'
import { serveHeaders } from '../media/serve-headers.ts'
import { rangeOf } from '../pages/store/range.ts'
import type { WebContext } from './context.ts'
import { may } from './may.ts'
import { personOf } from './people/person.ts'

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
    // Remembered before it is read: what is hidden meanwhile is told to whoever gets this answer.
    const lent = isForAll ? web.media.lent.given(ctx.req, row) : { 'Cache-Control': 'no-store' }
    const etag = `"${sha256}"`
    ctx.set('ETag', etag)
    ctx.status = 200
    const isFresh = ctx.fresh
    const range = isFresh ? undefined : rangeOf(ctx.headers, { bytes: row.bytes, etag })
    const { first, last } =
      range === undefined || range === 'none' ? { first: 0, last: row.bytes - 1 } : range
    ctx.remove('ETag')
    // What is not here may come from a peer, or not: only then is anything said of it.
    const isRead = !isFresh && range !== 'none' && ctx.method !== 'HEAD'
    const reading = isRead ? await web.media.network.read(sha256, { first, last }) : undefined
    const headers = serveHeaders(row)
    ctx.set(headers)
    ctx.set(lent)
    // A file is the same in all languages.
    ctx.remove('Vary')
    ctx.set('Accept-Ranges', 'bytes')
    ctx.set('ETag', etag)
    if (isFresh) {
      ctx.status = 304
      return
    }
    if (range === 'none') {
      ctx.set('Content-Range', `bytes */${row.bytes}`)
      ctx.status = 416
      // Whoever asks for bytes is told in headers.
      ctx.body = ''
      return
    }
    if (range) {
      ctx.status = 206
      ctx.set('Content-Range', `bytes ${first}-${last}/${row.bytes}`)
    }
    if (reading) ctx.body = reading.stream
    ctx.length = last - first + 1
    // A stream as the body takes its own guess at the type.
    ctx.set('Content-Type', headers['Content-Type'] ?? '')
  })
}

function gone(): HyperactiveError {
  return new HyperactiveError('unknown_file', 'There is no such file here.', { status: 404 })
}
