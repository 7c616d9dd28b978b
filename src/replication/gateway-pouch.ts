import { setTimeout as pause } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import PouchDB from 'pouchdb-node'
import type { PouchDatabase } from 'pouchdb-node'
import { LEDGER_PATH } from '../gateway/gateway.ts'
import type { Checkpoint } from './checkpoints.ts'
import { checkAnswer } from './guard.ts'
import type { PeerFetch } from './peer-fetch.ts'

const JSON_TYPE = [['content-type', 'application/json']]
const LONGEST_WORDS = 300
const SHORTEST_POLL_MS = 1000
const WHERE_IT_MATTERS = /\/_(bulk_get|revs_diff)$/

/**
 * The ledger behind a gateway, as PouchDB sees it for replicating. Each answer is checked before PouchDB gets it.
 *
 * @param url the node's address
 * @param onCheckpoint is handed each checkpoint that is read before the first changes are, and gives the one that
 *   counts, which takes the other's place; those that PouchDB reads later, to write them anew, are as they are
 */
export function gatewayPouch(
  url: string,
  fetch: PeerFetch['fetch'],
  onCheckpoint: (checkpoint: Checkpoint) => Checkpoint,
): PouchDatabase {
  const ledgerUrl = `${url}${LEDGER_PATH}`
  let reading = false
  const ask = async (address: string | URL, init: { method?: string; body?: unknown } = {}) => {
    const begun = Date.now()
    const response = await fetch(address, init)
    const { ok, status, statusText, headers } = response
    const { pathname, searchParams: query } = new URL(address)
    const path = pathname.slice(new URL(ledgerUrl).pathname.length).replace(/\/$/, '')
    const body: unknown =
      WHERE_IT_MATTERS.test(path) && typeof init.body === 'string' ? JSON.parse(init.body) : undefined
    if (path === '/_changes') reading = true
    const asked = { method: init.method ?? 'GET', path, query, body }
    // PouchDB looks at nothing else of a response; a body that is read once as JSON is not copied to be read again.
    return {
      ok,
      status,
      statusText,
      headers,
      async json() {
        const answer: unknown = await response.json()
        if (!String(address).startsWith(ledgerUrl)) return answer
        if (!ok) return wordsOf(answer)
        const checked = checkAnswer(asked, answer)
        if (asked.method === 'GET' && path.startsWith('/_local/') && !reading) {
          const wanted = onCheckpoint(checked as Checkpoint)
          // What peers are told of this link's progress is read from there; without a new document nobody would mend it.
          if (!isDeepStrictEqual(wanted, checked))
            await fetch(address, { method: 'PUT', headers: JSON_TYPE, body: JSON.stringify(wanted) })
          return wanted
        }
        // Nothing new is said after a wait; who says it at once is asked again no faster than this.
        if (path === '/_changes' && query.get('feed') === 'longpoll' && isEmpty(checked))
          await pause(Math.max(begun + SHORTEST_POLL_MS - Date.now(), 0), undefined, { ref: false })
        return checked
      },
    }
  }
  const pouch = new PouchDB(ledgerUrl, { skip_setup: true, fetch: ask as never })
  // PouchDB takes a first failure for a server without `_bulk_get` and then asks for each document by itself, for as
  // long as the process lives. Every gateway has `_bulk_get`.
  pouch.bulkGet = async ({ docs }) => {
    const init = {
      method: 'POST',
      headers: JSON_TYPE,
      body: JSON.stringify({ docs }),
    }
    const response = await ask(`${ledgerUrl}/_bulk_get?revs=true`, init)
    const answer = (await response.json()) as { error?: string; reason?: string }
    if (response.ok) return answer as never
    throw Object.assign(new Error(answer.reason ?? 'no reason given'), {
      status: response.status,
      name: answer.error,
    })
  }
  return pouch
}

/** What a peer says went wrong, in CouchDB's form whatever the peer made of it. */
function wordsOf(answer: unknown): { error: string; reason: string } {
  const { error, reason } = (answer ?? {}) as { error?: unknown; reason?: unknown }
  return { error: words(error), reason: words(reason) }
}

function words(value: unknown): string {
  return typeof value === 'string' ? value.slice(0, LONGEST_WORDS) : 'unknown'
}

function isEmpty(answer: unknown): boolean {
  return (answer as { results: unknown[] }).results.length === 0
}
