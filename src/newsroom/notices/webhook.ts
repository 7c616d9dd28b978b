import { Agent, request } from 'undici'
import { HyperactiveError } from '../../errors.ts'
import type { Channel } from './notices.ts'

const LONGEST_MS = 10_000

export interface WebhookOptions {
  /** Where to; an administrator chose it, so it may be on this machine or in the own network. */
  address: string
  site: string
  /** The moderators' page. */
  office: string
  timeoutMs?: number
}

/** Sends notices as JSON: `{ site, url, counts: { waiting, reported, matched } }`. Redirects are not followed. */
export function webhook({ address, site, office, timeoutMs = LONGEST_MS }: WebhookOptions): Channel {
  return {
    name: 'webhook',
    async send(counts, signal) {
      const agent = new Agent({ pipelining: 0 })
      try {
        const { statusCode, body } = await request(address, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ site, url: office, counts }),
          dispatcher: agent,
          signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
        })
        // The answer's text says nothing more; it ends with its connection.
        body.on('error', () => undefined)
        body.destroy()
        if (statusCode < 200 || statusCode > 299) throw refused(`it answered ${statusCode}`)
      } catch (error) {
        throw error instanceof HyperactiveError ? error : refused('it gave no answer', error)
      } finally {
        await agent.destroy()
      }
    },
  }
}

function refused(what: string, cause?: unknown): HyperactiveError {
  return new HyperactiveError('webhook_failed', `the webhook did not take a notice: ${what}`, {
    status: 502,
    cause,
  })
}
