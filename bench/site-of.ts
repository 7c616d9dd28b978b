import { join } from 'node:path'
import { connectCouch } from '../src/couch/client.ts'
import { startEmbeddedStore } from '../src/couch/embedded/start.ts'
import { HybridClock, hybridTime } from '../src/ledger/clock.ts'
import { makeItemId } from '../src/ledger/item-id.ts'
import { keyFromSeed, loadNodeKey } from '../src/ledger/keys.ts'
import { Ledger } from '../src/ledger/ledger.ts'
import type { Entry } from '../src/ledger/ledger.ts'
import { hashInId } from '../src/ledger/document.ts'
import { paragraph, pick } from './nodes.ts'

const HOUR_MS = 3_600_000
/** The newest item's time, so that every size has the same density in time. */
const NEWEST_MS = Date.UTC(2026, 10, 1)
const BATCH = 500
const COMMENT_EVERY = 5

/** One item of a made site: where it stands in the newswire. */
export interface MadeItem {
  item: string
  kind: string
  at: string
}

const KINDS: [share: number, kind: string][] = [
  [0.8, 'article'],
  [0.9, 'event'],
  [0.94, 'link'],
  [0.97, 'photo'],
  [0.98, 'audio'],
  [0.99, 'video'],
  [1, 'group'],
]

/**
 * Fills the ledger of a node that does not run: `count` items of all kinds, about 2 KB each, one an hour, and a comment
 * on every fifth.
 */
export async function fillLedger(data: string, count: number): Promise<MadeItem[]> {
  const key = await loadNodeKey(join(data, 'node.key'))
  await using store = await startEmbeddedStore({ folder: join(data, 'store') })
  const url = new URL(store.url)
  url.username = store.username
  url.password = store.password
  await using couch = connectCouch(url.href)
  const ledger = new Ledger(await couch.ensureDatabase('ledger'), key, new HybridClock())
  await ledger.identity()
  const made: MadeItem[] = []
  for (let from = 0; from < count; from += BATCH) {
    const numbers = Array.from({ length: Math.min(BATCH, count - from) }, (_, index) => from + index)
    const entries = numbers.map((number) => entryOf(number, NEWEST_MS - (count - number) * HOUR_MS))
    const documents = await ledger.append(entries)
    const comments = documents.filter((_, index) => index % COMMENT_EVERY === 0)
    await ledger.append(
      comments.map(({ item, at, _id }) => ({
        at,
        draft: { type: 'comment', item, fields: { author: 'A reader', body: `On ${hashInId(_id)}` } },
      })),
    )
    made.push(...documents.map(({ item, at, kind }) => ({ item, at, kind: String(kind) })))
  }
  return made
}

function entryOf(number: number, timeMs: number): Entry {
  const seed = Buffer.alloc(32)
  seed.writeUInt32BE(number, 0)
  const author = keyFromSeed(seed)
  const share = ((number * 7919) % 1000) / 1000
  const kind = KINDS.find(([to]) => share < to)?.[1] ?? 'article'
  const day = new Date(timeMs + 14 * 24 * HOUR_MS).toISOString().slice(0, 10)
  const own: Record<string, object> = {
    link: { address: `https://elsewhere.example/${number}` },
    event: {
      start: `${day}T19:00`,
      end: `${day}T21:30`,
      zone: 'Europe/Madrid',
      venue: `The ${pick(number)}`,
    },
  }
  const fields = {
    title: `Report ${number} from the ${pick(number + 5)}`,
    author: `Writer ${number % 97}`,
    summary: paragraph(number).slice(0, 150),
    body: Array.from({ length: 5 }, (_, part) => paragraph(number * 13 + part)).join('\n\n'),
    tags: [...new Set([pick(number), pick(number * 7 + 3), `rare ${number % 5000}`])].sort(),
    places: [pick(number * 3 + 1)],
    language: number % 4 === 0 ? 'es' : 'en',
    ...own[kind],
  }
  const item = makeItemId(author.publicKey, timeMs, Buffer.from([number & 0xff, (number >> 8) & 0xff]))
  return { draft: { type: 'edit', item, kind, parents: [], fields }, author, at: hybridTime(timeMs) }
}
