import type { Router } from '@koa/router'
import type { ParameterizedContext } from 'koa'
import { CouchAnswer, flag, readJson } from './answers.ts'
import type { Databases, OpenDatabase } from './databases.ts'
import { getRevision, openRevisions } from './revisions.ts'

const REVISION = /^\d+-[0-9A-Za-z]+$/

/** Routes of single documents: plain ones, design documents and local ones. */
export function documentRoutes(router: Router, databases: Databases): void {
  const paths: [string, (id: string) => string][] = [
    ['/:db/_design/:id', (id) => `_design/${id}`],
    ['/:db/_local/:id', (id) => `_local/${id}`],
    ['/:db/:id', (id) => id],
  ]
  for (const [path, idOf] of paths) {
    const target = (ctx: { params: { db?: string; id?: string } }): [OpenDatabase, string] => {
      const id = idOf(ctx.params.id ?? '')
      if (id.startsWith('_') && !/^_(design|local)\/./.test(id)) {
        throw new CouchAnswer(400, 'illegal_docid', 'Only reserved document ids may start with underscore.')
      }
      return [databases.get(ctx.params.db ?? ''), id]
    }
    router.get(path, (ctx) => getDocument(ctx, ...target(ctx)))
    router.put(path, (ctx) => putDocument(ctx, ...target(ctx)))
    router.delete(path, (ctx) => deleteDocument(ctx, ...target(ctx)))
  }
}

async function getDocument(ctx: ParameterizedContext, { pouch }: OpenDatabase, id: string): Promise<void> {
  const { rev, open_revs: openRevs } = ctx.query
  const revs = flag('revs', ctx.query.revs) ?? false
  if (openRevs !== undefined) {
    const asked = openRevs === 'all' ? 'all' : parseRevisions(openRevs)
    ctx.body = await openRevisions(pouch, id, asked, {
      revs,
      latest: flag('latest', ctx.query.latest) ?? false,
    })
    return
  }
  if (rev !== undefined) {
    if (typeof rev !== 'string' || !REVISION.test(rev))
      throw new CouchAnswer(400, 'bad_request', 'Invalid rev format')
    const found = await getRevision(pouch, id, rev, revs)
    if (!found) throw new CouchAnswer(404, 'not_found', 'missing')
    ctx.body = found
  } else {
    ctx.body = await pouch.get(id, { revs, conflicts: flag('conflicts', ctx.query.conflicts) ?? false })
  }
  ctx.set('ETag', `"${(ctx.body as { _rev: string })._rev}"`)
}

async function putDocument(
  ctx: ParameterizedContext,
  { pouch, events }: OpenDatabase,
  id: string,
): Promise<void> {
  const document = await readJson(ctx)
  const rev = ctx.query.rev ?? (ctx.get('if-match').replaceAll('"', '') || document._rev)
  if (rev !== undefined && typeof rev !== 'string')
    throw new CouchAnswer(400, 'bad_request', 'Invalid rev format')
  const newEdits = ctx.query.new_edits !== 'false'
  const result = await pouch.put(
    { ...document, _id: id, ...(rev === undefined ? {} : { _rev: rev }) },
    newEdits ? {} : { new_edits: false },
  )
  if (!id.startsWith('_local/')) events.emit('written')
  ctx.status = 201
  ctx.body = { ok: true, id, rev: result.rev ?? rev }
}

async function deleteDocument(
  ctx: ParameterizedContext,
  { pouch, events }: OpenDatabase,
  id: string,
): Promise<void> {
  const rev = ctx.query.rev ?? ctx.get('if-match').replaceAll('"', '')
  if (typeof rev !== 'string' || (rev !== '' && !REVISION.test(rev))) {
    throw new CouchAnswer(400, 'bad_request', 'Invalid rev format')
  }
  if (rev === '') {
    await pouch.get(id)
    throw new CouchAnswer(409, 'conflict', 'Document update conflict.')
  }
  const result = await pouch.remove(id, rev)
  if (!id.startsWith('_local/')) events.emit('written')
  ctx.body = { ok: true, id, rev: result.rev }
}

function parseRevisions(value: unknown): string[] {
  try {
    const revisions: unknown = JSON.parse(String(value))
    if (Array.isArray(revisions) && revisions.every((rev) => typeof rev === 'string')) return revisions
  } catch {
    // answered below
  }
  throw new CouchAnswer(400, 'bad_request', 'invalid open_revs')
}
