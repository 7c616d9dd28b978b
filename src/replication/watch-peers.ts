import { watch } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { messageOf } from '../errors.ts'
import { parsePeers, readPeersText } from './peers-file.ts'
import type { Peer } from './peers-file.ts'

/** Editors write a file in several steps; a change is read when it has been quiet for this long. */
const QUIET_MS = 50
/** Some file systems tell of no changes; the file is looked at this often anyhow. */
const LOOK_MS = 5000

/**
 * Watches peers.yaml. A valid change is handed on; of an invalid one the problem is, and what was valid last stays in
 * force. The folder is watched, because editors replace files; it is made when it is not there.
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
  let seen: string | undefined
  let looking = Promise.resolve()
  const lookOnce = async () => {
    try {
      const text = (await readPeersText(path)) ?? ''
      if (text === seen) return
      seen = text
      await onPeers(await parsePeers(text, path))
      onProblem(undefined)
    } catch (error) {
      onProblem(messageOf(error))
    }
  }
  const look = () => {
    looking = looking.then(lookOnce)
    return looking
  }
  let quiet: NodeJS.Timeout | undefined
  const watcher = watch(dirname(path), { signal, persistent: false }, (_, file) => {
    if (file !== null && file !== basename(path)) return
    clearTimeout(quiet)
    quiet = setTimeout(() => void look(), QUIET_MS)
  })
  watcher.on('error', () => {})
  const timer = setInterval(() => void look(), LOOK_MS)
  timer.unref()
  signal.addEventListener('abort', () => {
    clearTimeout(quiet)
    clearInterval(timer)
  })
  return look
}
