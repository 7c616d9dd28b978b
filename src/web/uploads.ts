import { createReadStream } from 'node:fs'
import type { Router } from '@koa/router'
import { Metadata } from '@tus/server'
import type { Context } from 'koa'
import { HyperactiveError } from '../errors.ts'
import { notTaken, goneUpload } from '../media/uploads/problems.ts'
import { Resumable } from '../media/uploads/resumable.ts'
import { isUploadId, problemOf } from '../media/uploads/uploads.ts'
import { isKnown } from './abuse/on-forms.ts'
import type { WebContext } from './context.ts'
import { fileProblem, fileSize } from './form-files.ts'
import { may } from './may.ts'
import { wordingFor } from './page.ts'
import { isCrossSite } from './security.ts'
import { FormTokens } from './token.ts'

/** Files that come before their form is sent, in several requests if need be, and what has become of them. */
export function uploadRoutes(router: Router, web: WebContext): void {
  const { uploads } = web.media
  const tokens = new FormTokens(web.nodeKey)
  const resumable = uploads && new Resumable(uploads)

  router.post('/uploads', may('publish'), (ctx) =>
    answering(ctx, async () => {
      const { form = '', token = '', name = '' } = metadataOf(ctx)
      if (!tokens.isValid(token, form)) throw notTaken()
      web.gate.takeUpload(isKnown(ctx), wordingFor(ctx))
      await begun(resumable).begin(ctx.req, ctx.res, { form, name })
    }),
  )
  const answer = (ctx: Context) => answering(ctx, () => begun(resumable).answer(ctx.req, ctx.res))
  router.options('/uploads', may('publish'), answer)
  router.head('/uploads/:upload', may('publish'), answer)
  router.patch('/uploads/:upload', may('publish'), answer)
  router.delete('/uploads/:upload', may('publish'), answer)

  router.get('/uploads/:upload/state', may('publish'), (ctx) => {
    const { upload = '' } = ctx.params
    const row = isUploadId(upload) ? uploads?.state(upload) : undefined
    ctx.set('Cache-Control', 'no-store')
    if (!row) throw goneUpload()
    const wording = wordingFor(ctx)
    const { state, name, file, problem } = row
    ctx.body = {
      state,
      ...(problem ? { problem: fileProblem(name, problemOf(row), wording) } : {}),
      ...(file ? { type: file.type, size: fileSize(file.bytes, wording) } : {}),
    }
  })

  router.get('/uploads/:upload/preview', may('publish'), async (ctx) => {
    const { upload = '' } = ctx.params
    const path = isUploadId(upload) ? await uploads?.preview(upload) : undefined
    if (path === undefined) throw goneUpload()
    ctx.set('Cache-Control', 'no-store')
    ctx.type = 'image/jpeg'
    ctx.body = createReadStream(path)
  })

  /** What goes wrong is told in one line, for the page's script to show. */
  async function answering(ctx: Context, act: () => Promise<void>): Promise<void> {
    try {
      if (isCrossSite(ctx, web.config.url)) throw notTaken()
      // From here on the library answers.
      ctx.respond = false
      await act()
    } catch (error) {
      ctx.respond = true
      if (!(error instanceof HyperactiveError)) throw error
      ctx.req.resume()
      if (error.retryAfterSeconds !== undefined) ctx.set('Retry-After', String(error.retryAfterSeconds))
      ctx.set('Cache-Control', 'no-store')
      ctx.status = error.status
      ctx.type = 'text/plain'
      ctx.body = fileProblem(metadataOf(ctx).name ?? '', error, wordingFor(ctx))
    }
  }
}

function begun(resumable: Resumable | undefined): Resumable {
  if (!resumable) throw notTaken()
  return resumable
}

function metadataOf(ctx: Context): Partial<Record<string, string>> {
  try {
    const parsed = Metadata.parse(ctx.get('upload-metadata'))
    return Object.fromEntries(Object.entries(parsed).map(([name, value]) => [name, value ?? '']))
  } catch {
    return {}
  }
}
