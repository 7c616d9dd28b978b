import { request as ask } from 'node:http'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import type { NodeAt } from './pass-on.ts'
import { HEADER, lineOf, toldLine } from './protocol.ts'
import type { ToldLine } from './protocol.ts'

const PAUSE_MS = 250
/** The node says something every second; a connection on which nothing comes for so long has broken. */
const SILENCE_MS = 5000

export interface FollowOptions {
  node: NodeAt
  /** Given each line in its order; the first after a connection came about is marked. */
  told: (line: ToldLine) => void
  /** Gives what was asked for since it was called last. */
  asked: () => [key: string, times: number][]
  /** Told when the connection has broken: what is told from now on is not heard. */
  lost: () => void
  signal: AbortSignal
}

/**
 * Follows what a node tells its kept pages, and says after each line that it was taken in. It goes on until the signal
 * says otherwise; after a break it begins anew.
 */
export async function followChanges({ node, told, asked, lost, signal }: FollowOptions): Promise<void> {
  while (!signal.aborted) {
    await followOnce({ node, told, asked, lost, signal })
    await pause(PAUSE_MS, undefined, { signal }).catch(() => undefined)
  }
}

function followOnce({ node, told, asked, lost, signal }: FollowOptions): Promise<void> {
  return new Promise((resolve) => {
    const { target, header } = node
    const headers = { [HEADER]: header, 'transfer-encoding': 'chunked' }
    // A connection of its own, whose two directions both stay open.
    const asking = ask({ ...target, agent: false, method: 'POST', path: '/', headers, signal })
    asking.setTimeout(SILENCE_MS, () => asking.destroy())
    asking.flushHeaders()
    const take = (said: ToldLine) => {
      if (!said.idle) told(said)
      if (said.line !== undefined) asking.write(lineOf(said.line))
      const pages = said.idle ? asked() : []
      if (pages.length > 0) asking.write(lineOf(pages))
    }
    asking.once('response', (answer) => {
      if (answer.statusCode !== 200) asking.destroy()
      const lines = createInterface({ input: answer })
      lines.on('error', () => asking.destroy())
      lines.on('line', (line) => {
        try {
          take(toldLine(line))
        } catch {
          // Something else than a node answers there.
          asking.destroy()
        }
      })
    })
    asking.on('error', () => undefined)
    asking.once('close', () => {
      lost()
      resolve()
    })
  })
}
