import { LEDGER_PATH, GATEWAY_PATH } from '../gateway/gateway.ts'
import { messageOf } from '../errors.ts'
import type { PeerFetch } from './peer-fetch.ts'

/** What a look at a peer's gateway found. */
export type Verdict = 'ok' | 'down' | 'unauthorised' | 'not-a-gateway' | 'clock' | 'itself' | 'other-key'

export interface ProbeResult {
  verdict: Verdict
  /** One line for the administrator. */
  text: string
  /** The public key that the peer says it has. */
  node?: string
}

export interface ProbeOptions {
  url: string
  fetch: PeerFetch['fetch']
  /** This node's own public key. */
  ownKey: string
  /** The key that peers.yaml gives for the peer. */
  expectedKey: string | undefined
  clockAheadMs: number
  signal?: AbortSignal
}

/** Looks at a peer's gateway before documents flow, so that what is wrong can be said in one line. */
export async function probePeer({
  url,
  fetch,
  ownKey,
  expectedKey,
  clockAheadMs,
  signal,
}: ProbeOptions): Promise<ProbeResult> {
  let status: number
  let date: string | null
  let welcome: unknown
  try {
    const init = signal ? { signal } : {}
    const response = await fetch(`${url}${GATEWAY_PATH}/`, init)
    ;({ status } = response)
    date = response.headers.get('date')
    welcome = await response.json().catch(() => undefined)
  } catch (error) {
    return { verdict: 'down', text: `${url} does not answer (${reasonOf(error)})` }
  }
  const refused = (welcome as { error?: unknown } | undefined)?.error === 'unauthorized'
  if (status >= 500) return { verdict: 'down', text: `${url} cannot answer now (status ${status})` }
  if (status === 401 && refused) {
    return {
      verdict: 'unauthorised',
      text: `${url} refuses this node's name or password; check \`credentials\``,
    }
  }
  const node = (welcome as { hyperactive?: { node?: unknown } } | undefined)?.hyperactive?.node
  if (status !== 200 || typeof node !== 'string') {
    const text = `${url}${LEDGER_PATH} is not a Hyperactive gateway (status ${status}); check \`url\``
    return { verdict: 'not-a-gateway', text }
  }
  if (node === ownKey)
    return { verdict: 'itself', text: `${url} is this node itself; remove the block`, node }
  if (expectedKey !== undefined && node !== expectedKey) {
    return {
      verdict: 'other-key',
      text: `${url} has another key than peers.yaml says; ask who runs it before you change it`,
      node,
    }
  }
  const apartMs = date === null ? 0 : Date.parse(date) - Date.now()
  if (Math.abs(apartMs) > clockAheadMs) {
    const text = `the clock of ${url} is ${Math.round(Math.abs(apartMs) / 1000)} s ${apartMs > 0 ? 'ahead of' : 'behind'} this node's; set both by NTP`
    return { verdict: 'clock', text, node }
  }
  return { verdict: 'ok', text: `${url} answers`, node }
}

/** The reason inside fetch's "fetch failed". */
export function reasonOf(error: unknown): string {
  const cause = (error as { cause?: unknown }).cause
  const { code } = (cause ?? error) as { code?: unknown }
  if (typeof code === 'string') return code
  return messageOf(cause ?? error)
}
