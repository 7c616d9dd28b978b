import type { Router } from '@koa/router'
import type { ParameterizedContext } from 'koa'
import type { PouchDatabase } from 'pouchdb-node'
import { CouchAnswer, flag, readJson } from './answers.ts'
import { checkDocument, checkId, checkRevision, checkSize, mayBeTooLarge } from './check-document.ts'
import type { Incoming } from './check-document.ts'
import { markWritten } from './databases.ts'
import type { Databases, OpenDatabase } from './databases.ts'
import { getRevision, openRevisions } from './revisions.ts'

type Handler = (ctx: ParameterizedContext, database: OpenDatabase, id: string) => Promise<void>

/** Routes of single documents: plain ones, design documents and local ones. */
export function documentRoutes(router: Router, databases: Databases): void {
  const paths: [string, (id: string) => string][] = [
    ['/:db/_design/:id', (id) => `_design/${id}`],
    ['/:db/_local/:id', (id) => `_local/${id}`],
    ['/:db/:id', (id) => id],
  ]
  for (const [path, idOf] of paths) {
    const serve = (handler: Handler) => (ctx: ParameterizedContext & { params: Record<string, string> }) =>
      handler(ctx, databases.get(ctx.params.db ?? ''), idOf(ctx.params.id ?? ''))
    router.get(path, serve(getDocument))
    router.put(path, serve(putDocument))
    router.delete(path, serve(deleteDocument))
  }
}

async function getDocument(ctx: ParameterizedContext, { pouch }: OpenDatabase, id: string): Promise<void> {
  const { rev, open_revs: openRevs } = ctx.query
  const revs = flag('revs', ctx.query.revs) ?? false
  const latest = flag('latest', ctx.query.latest) ?? false
  if (openRevs !== undefined) {
    const asked = openRevs === 'all' ? 'all' : parseRevisions(openRevs)
    const found = await openRevisions(pouch, id, asked, { revs, latest })
    if (asked === 'all' && found.length === 0) throw new CouchAnswer(404, 'not_found', 'missing')
    ctx.body = found
    return
  }
  const document = rev === undefined ? await getWinner(ctx, pouch, id, revs) : undefined
  if (document) ctx.body = document
  else ctx.body = await getAsked(pouch, id, rev, { revs, latest })
  const etag = `"${(ctx.body as { _rev: string })._rev}"`
  ctx.set('ETag', etag)
  if (ctx.get('if-none-match') === etag) ctx.status = 304
}

function getWinner(
  ctx: ParameterizedContext,
  pouch: PouchDatabase,
  id: string,
  revs: boolean,
): Promise<object> {
  return pouch.get(id, {
    revs,
    conflicts: flag('conflicts', ctx.query.conflicts) ?? false,
    revs_info: flag('revs_info', ctx.query.revs_info) ?? false,
  })
}

async function getAsked(
  pouch: PouchDatabase,
  id: string,
  rev: unknown,
  { revs, latest }: { revs: boolean; latest: boolean },
): Promise<object> {
  checkRevision(rev)
  const [first] = latest ? await openRevisions(pouch, id, [rev], { revs, latest }) : []
  const found = first && 'ok' in first ? first.ok : await getRevision(pouch, id, rev, revs)
  if (!found) throw new CouchAnswer(404, 'not_found', 'missing')
  return found
}

async function putDocument(ctx: ParameterizedContext, database: OpenDatabase, id: string): Promise<void> {
  const { pouch } = database
  checkId(id)
  const document: unknown = { ...(await readJson(ctx)), _id: id }
  const newEdits = flag('new_edits', ctx.query.new_edits) ?? true
  checkDocument(document, !newEdits)
  if (mayBeTooLarge(ctx.request.length)) checkSize(document, id)
  const rev = askedRevision(ctx) ?? document._rev
  if (rev !== undefined && document._rev !== undefined && rev !== document._rev) {
    const reason = 'Document rev from request body and query string have different values'
    throw new CouchAnswer(400, 'bad_request', reason)
  }
  if (id.startsWith('_local/')) {
    await putLocal(ctx, pouch, document)
    return
  }
  const options = newEdits ? {} : { new_edits: false }
  const result = await pouch.put(
    { ...document, _id: id, ...(rev === undefined ? {} : { _rev: rev }) },
    options,
  )
  markWritten(database, [document])
  // PouchDB answers nothing of use about a revision that was brought along.
  const written = newEdits ? result.rev : rev
  ctx.set('ETag', `"${written ?? ''}"`)
  ctx.status = 201
  ctx.body = { ok: true, id, rev: written }
}

/** Local documents take every write, as in CouchDB since 3.0: the last one wins, whatever revision it names. */
async function putLocal(ctx: ParameterizedContext, pouch: PouchDatabase, document: Incoming): Promise<void> {
  const id = document._id ?? ''
  for (;;) {
    const there = await pouch.get(id).catch(() => undefined)
    const { _rev, ...rest } = document
    try {
      const { rev } = await pouch.put({ ...rest, _id: id, ...(there ? { _rev: there._rev } : {}) })
      ctx.status = 201
      ctx.body = { ok: true, id, rev }
      return
    } catch (error) {
      // Another write came between the two.
      if ((error as { status?: number }).status !== 409) throw error
    }
  }
}

async function deleteDocument(ctx: ParameterizedContext, database: OpenDatabase, id: string): Promise<void> {
  const { pouch } = database
  const rev = askedRevision(ctx)
  const isLocal = id.startsWith('_local/')
  if (rev !== undefined && !isLocal) checkRevision(rev)
  // CouchDB looks first: what is not there is 404, whatever the revision.
  const there = await pouch.get(id)
  if (isLocal) {
    await pouch.remove(id, there._rev)
    ctx.body = { ok: true, id, rev: '0-0' }
    return
  }
  if (rev === undefined) throw new CouchAnswer(409, 'conflict', 'Document update conflict.')
  const result = await pouch.remove(id, rev)
  markWritten(database, [{ _deleted: true }])
  ctx.body = { ok: true, id, rev: result.rev }
}

/** The revision that the address or If-Match names. */
function askedRevision(ctx: ParameterizedContext): string | undefined {
  const rev = ctx.query.rev ?? (ctx.get('if-match').replaceAll('"', '') || undefined)
  if (Array.isArray(rev)) throw new CouchAnswer(400, 'bad_request', 'Invalid rev format')
  return rev
}

function parseRevisions(value: unknown): string[] {
  try {
    const revisions: unknown = JSON.parse(String(value))
    if (Array.isArray(revisions) && revisions.every((rev) => typeof rev === 'string')) return revisions
  } catch {
    // answered below
  }
  throw new CouchAnswer(400, 'bad_request', 'invalid UTF-8 JSON in open_revs')
}
