import type { ExecutionContext } from 'ava'
import { hashInId } from '../../src/ledger/document.ts'
import { makeItemId } from '../../src/ledger/item-id.ts'
import { openOffice } from '../../src/office-of-node.ts'
import type { FilterInput } from '../../src/newsroom/filters/filter.ts'
import { newKey } from './keys.ts'
import { policy } from './policy.ts'
import { project } from './projector.ts'
import { startStore } from './store.ts'

const SITE = { name: 'A site', description: '', language: 'en', timeZone: 'UTC' }

/** The office of a node without its web pages, over a real store; gone with the test. */
export async function startOffice(t: ExecutionContext, given: Parameters<typeof policy>[1] = {}) {
  const store = await startStore(t)
  const ownPolicy = policy(store.key.publicKey, given)
  const projected = await project(store, undefined, ownPolicy)
  t.teardown(() => projected[Symbol.asyncDispose]())
  const stop = new AbortController()
  const open = (site = projected.site) =>
    openOffice(store, { site, policy: ownPolicy, config: { site: SITE }, signal: stop.signal })
  const office = await open()
  t.teardown(() => office.watcher[Symbol.asyncDispose]())
  const { ledger } = store
  return {
    ...office,
    store,
    ...projected,
    policy: ownPolicy,
    newsroom: { ledger, site: projected.database, policy: ownPolicy },
    open,
    /** Publishes articles by authors of their own; gives their ids. */
    publish: async (...all: Record<string, unknown>[]): Promise<string[]> => {
      const entries = all.map((fields) => {
        const author = newKey()
        const item = makeItemId(author.publicKey, Date.now())
        const complete = { title: 'A title', body: 'A text.', tags: [], language: 'en', ...fields }
        const draft = {
          type: 'edit',
          item,
          kind: 'article',
          parents: [] as string[],
          fields: complete,
        } as const
        return { draft, author }
      })
      const documents = await ledger.append(entries)
      await projected.projector.catchUp()
      return documents.map(({ item }) => item)
    },
    /** A further version of an item by its node. */
    change: async (item: string, fields: Record<string, unknown>, parents?: string[]): Promise<string> => {
      const before = await projected.site.anyItem(item)
      const draft = {
        type: 'edit',
        item,
        kind: 'article',
        parents: parents ?? before?.heads ?? [],
        fields: { ...before?.fields, ...fields },
      } as const
      const [document] = await ledger.append([{ draft, author: store.key }])
      await projected.projector.catchUp()
      return hashInId(document?._id ?? '')
    },
    comment: async (item: string, fields: Record<string, unknown>): Promise<string> => {
      const [document] = await ledger.append([{ draft: { type: 'comment', item, fields } }])
      await projected.projector.catchUp()
      return hashInId(document?._id ?? '')
    },
    /** Projects, lets the filters act, and projects what they did. */
    settle: async (): Promise<void> => {
      await projected.projector.catchUp()
      await office.watcher.catchUp()
      await projected.projector.catchUp()
    },
  }
}

/** A filter that puts into the office what has the word "casino", apart from what is given. */
export function filter(given: Partial<FilterInput> = {}): FilterInput {
  return { name: 'Gambling', way: 'words', pattern: 'casino', parts: [], kinds: [], deed: 'queue', ...given }
}
