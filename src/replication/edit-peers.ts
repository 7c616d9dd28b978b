import { mkdir, open, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { isSeq, parseDocument } from 'yaml'
import type { YAMLSeq } from 'yaml'
import { HyperactiveError } from '../errors.ts'
import { loadPeers, parsePeers, readPeersText } from './peers-file.ts'

const EMPTY = '# The peers of this node. replication/README.md explains every setting.\npeers: []\n'
const LOCK_STALE_MS = 10_000
const LOCK_TRIES = 200
const LOCK_PAUSE_MS = 50

/** A block as it is written to peers.yaml. */
export type PeerBlock = { name: string } & Record<string, unknown>

/**
 * Adds a block to peers.yaml, or takes the place of the one of the same name. Comments and everything else in the
 * file stay as they are. The outcome is checked before it is written, and written by rename with mode 600.
 */
export function putPeer(path: string, block: PeerBlock): Promise<void> {
  return edit(path, (document) => {
    const peers = document.get('peers')
    if (!isSeq(peers)) {
      document.set('peers', document.createNode([block]))
      return
    }
    peers.flow = false
    const index = indexOf(peers, block.name)
    if (index === -1) peers.add(document.createNode(block))
    else peers.set(index, document.createNode(block))
  })
}

/** @throws HyperactiveError `unknown_peer` */
export function removePeer(path: string, name: string): Promise<void> {
  return edit(path, (document) => {
    const index = findPeer(document, name, path)
    const peers = document.get('peers') as YAMLSeq
    peers.delete(index)
    if (peers.items.length === 0) peers.flow = true
  })
}

/**
 * Counts a peer's `resync` up: its links then replicate from zero, as far as documents are missing.
 *
 * @throws HyperactiveError `unknown_peer`
 */
export function resyncPeer(path: string, name: string): Promise<void> {
  return edit(path, (document) => {
    const index = findPeer(document, name, path)
    const before = document.getIn(['peers', index, 'resync'])
    document.setIn(['peers', index, 'resync'], (typeof before === 'number' ? before : 0) + 1)
  })
}

/** `wanted`, or with the first free number behind it. */
export async function freeName(path: string, wanted: string): Promise<string> {
  const taken = new Set((await loadPeers(path)).map(({ name }) => name))
  if (!taken.has(wanted)) return wanted
  for (let number = 2; ; number += 1) {
    const name = `${wanted.slice(0, 36)}-${number}`
    if (!taken.has(name)) return name
  }
}

type YamlDocument = ReturnType<typeof parseDocument>

async function edit(path: string, change: (document: YamlDocument) => void): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  await using _lock = await takeLock(`${path}.lock`)
  const text = (await readPeersText(path)) ?? EMPTY
  await parsePeers(text, path)
  const document = parseDocument(text)
  change(document)
  const edited = document.toString({ lineWidth: 0 })
  await parsePeers(edited, path)
  await writeFile(`${path}.new`, edited, { mode: 0o600 })
  await rename(`${path}.new`, path)
}

function findPeer(document: YamlDocument, name: string, path: string): number {
  const peers = document.get('peers')
  const index = isSeq(peers) ? indexOf(peers, name) : -1
  if (index !== -1) return index
  const text = `${path} has no peer "${name}"; \`hyperactive peer list\` shows them`
  throw new HyperactiveError('unknown_peer', text, { status: 404 })
}

function indexOf(peers: { items: unknown[] }, name: string): number {
  return peers.items.findIndex((item) => (item as { get?: (key: string) => unknown }).get?.('name') === name)
}

/** A lock file, so that two commands at once do not lose each other's edit; one left by a dead process is taken over. */
async function takeLock(path: string): Promise<AsyncDisposable> {
  for (let tries = 0; tries < LOCK_TRIES; tries += 1) {
    try {
      await (await open(path, 'wx')).close()
      return { [Symbol.asyncDispose]: () => rm(path, { force: true }) }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      const since = await stat(path).catch(() => undefined)
      if (since && Date.now() - since.mtimeMs > LOCK_STALE_MS) await rm(path, { force: true })
      else await pause(LOCK_PAUSE_MS)
    }
  }
  throw new HyperactiveError(
    'peers_file_locked',
    `another process is editing ${path.replace(/\.lock$/, '')}; try again`,
  )
}
