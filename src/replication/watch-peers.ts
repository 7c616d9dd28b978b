import { watch } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { messageOf } from '../errors.ts'
import { logger } from '../log.ts'
import { parsePeers, readPeersText } from './peers-file.ts'
import type { Peer } from './peers-file.ts'

const log = logger('replication')

/** Editors write a file in several steps; a change is read when it has been quiet for this long. */
const QUIET_MS = 50
/** Some file systems tell of no changes; the file is looked at this often anyhow. */
const LOOK_MS = 5000
/** A change that could not take effect, because the store was away, is tried again after this long. */
const RETRY_MS = 1000

/**
 * Watches peers.yaml. A valid change is handed on; of an invalid one the problem is, and what was valid last stays in
 * force. What could not take effect is handed on again until it has. The folder is watched, because
 * editors replace files; it is made when it is not there.
 *
 * @returns what looks at the file at once and resolves when that is done
 */
export async function watchPeers(
  path: string,
  onPeers: (peers: Peer[]) => Promise<void>,
  onProblem: (problem: string | undefined) => void,
  signal: AbortSignal,
): Promise<() => Promise<void>> {
  await mkdir(dirname(path), { recursive: true })
  let inForce: string | undefined
  let looking = Promise.resolve()
  let failed = false
  const lookOnce = async () => {
    let text: string
    let peers: Peer[]
    try {
      text = (await readPeersText(path)) ?? ''
      peers = text === inForce ? [] : await parsePeers(text, path)
      onProblem(undefined)
    } catch (error) {
      onProblem(messageOf(error))
      return
    }
    if (text === inForce) return
    try {
      await onPeers(peers)
      inForce = text
      failed = false
    } catch (error) {
      if (!failed)
        log.warn('the peers file cannot take effect yet; trying again', { reason: messageOf(error) })
      failed = true
      // Part of it may have taken effect.
      inForce = undefined
      lookSoon(RETRY_MS)
    }
  }
  const look = () => {
    looking = looking.then(lookOnce)
    return looking
  }
  let soon: NodeJS.Timeout | undefined
  const lookSoon = (inMs: number) => {
    clearTimeout(soon)
    if (!signal.aborted) soon = setTimeout(() => void look(), inMs)
  }
  const watcher = watch(dirname(path), { signal, persistent: false }, (_, file) => {
    if (file !== null && file !== basename(path)) return
    lookSoon(QUIET_MS)
  })
  watcher.on('error', () => {})
  const timer = setInterval(() => void look(), LOOK_MS)
  timer.unref()
  signal.addEventListener('abort', () => {
    clearTimeout(soon)
    clearInterval(timer)
  })
  return look
}
