import { randomBytes } from 'node:crypto'
import { Router } from '@koa/router'
import { z } from 'zod'
import { HyperactiveError } from '../errors.ts'
import { readJson } from '../gateway/answers.ts'
import { hashPassword } from '../gateway/callers.ts'
import { isKeyText, verifySignature } from '../ledger/keys.ts'
import type { SigningKey } from '../ledger/keys.ts'
import { freeName, putPeer } from './edit-peers.ts'
import type { Invitation, Invitations } from './invitations.ts'
import { peerFetch } from './peer-fetch.ts'
import { loadPeers, PEER_NAME } from './peers-file.ts'
import { reasonOf } from './probe.ts'

const JOIN_PATH = '/peering/join'
const LARGEST_BYTES = 16 * 1024
const ANSWER_MS = 20_000

const name = z.string().regex(PEER_NAME)
const password = z.string().min(16).max(200)
const key = z.string().refine(isKeyText)

const joinRequest = z.object({
  token: z.string().max(100),
  key,
  /** The joining node's public address, if it has one. */
  url: z
    .url({ protocol: /^https?$/ })
    .max(500)
    .optional(),
  /** What the inviting node is to say to the joining one. */
  login: z.object({ username: name, password }).optional(),
  /** Shows that the joining node holds its key. */
  proof: z.string().max(100),
})

const joinAnswer = z.object({ key, login: z.object({ username: name, password }) })

function proofBytes(token: string, inviter: string, joiner: string): Buffer {
  return Buffer.from(`hyperactive join ${token} ${inviter} ${joiner}`)
}

export interface PeeringOptions {
  peersPath: string
  key: SigningKey
  invitations: Invitations
  /** Resolves when the changed peers file is in force and its keys are vouched for. */
  applied: () => Promise<void>
}

/** The inviting side: `POST /peering/join` writes the new peer's block and lets its key in. */
export function peeringRouter({ peersPath, key: own, invitations, applied }: PeeringOptions): Router {
  const router = new Router()
  router.post(JOIN_PATH, async (ctx) => {
    try {
      const parsed = joinRequest.safeParse(await readJson(ctx, LARGEST_BYTES))
      if (!parsed.success)
        throw new HyperactiveError('bad_join', 'the request to join is not complete', { status: 400 })
      const { token, key: joiner, url, login, proof } = parsed.data
      if (!(await verifySignature(proofBytes(token, own.publicKey, joiner), joiner, proof))) {
        throw new HyperactiveError('bad_join', 'the request to join is not signed by its key', {
          status: 403,
        })
      }
      if (joiner === own.publicKey)
        throw new HyperactiveError('bad_join', 'a node cannot join itself', { status: 400 })
      const wanted = (await invitations.spend(token, joiner)) ?? nameFor(url, joiner)
      const known = (await loadPeers(peersPath)).find((peer) => peer.key === joiner)
      const peerName = known?.name ?? (await freeName(peersPath, wanted))
      const secret = randomBytes(32).toString('base64url')
      await putPeer(peersPath, {
        name: peerName,
        ...(url && login ? { url, credentials: login, direction: 'pull' } : {}),
        key: joiner,
        accepts: { username: peerName, passwordHash: `sha256:${hashPassword(secret)}` },
      })
      await applied()
      ctx.body = { key: own.publicKey, login: { username: peerName, password: secret } }
    } catch (error) {
      const { status, expose } = error as { status?: number; expose?: boolean }
      ctx.status = status ?? 500
      ctx.body = {
        error: expose === false || !(error instanceof Error) ? 'the node cannot do this now' : error.message,
      }
    }
  })
  return router
}

export interface JoinOptions {
  peersPath: string
  key: SigningKey
  /** This node's public address, if it has one. */
  ownUrl: string | undefined
  /** What to call the inviting node; from its address unless given. */
  name: string | undefined
}

/**
 * The joining side: asks the inviting node, and writes its block. With a public address on both sides each pulls from
 * the other; without one here, this side pulls and pushes.
 *
 * @returns the new peer's name
 * @throws HyperactiveError `join_failed`
 */
export async function joinNetwork(
  invitation: Invitation,
  { peersPath, key: own, ownUrl, name: wanted }: JoinOptions,
): Promise<string> {
  const { url, key: inviter, token } = invitation
  if (inviter === own.publicKey)
    throw new HyperactiveError('join_failed', 'this invitation is from this very node')
  const known = (await loadPeers(peersPath)).find((peer) => peer.key === inviter)
  const peerName = known?.name ?? (await freeName(peersPath, wanted ?? nameFor(url, inviter)))
  const login = { username: peerName, password: randomBytes(32).toString('base64url') }
  const request = {
    token,
    key: own.publicKey,
    ...(ownUrl === undefined ? {} : { url: ownUrl, login }),
    proof: own.sign(proofBytes(token, inviter, own.publicKey)),
  }
  await using connection = peerFetch({ login: undefined, idleTimeoutMs: ANSWER_MS })
  let answer: unknown
  let ok = false
  try {
    const headers = [['content-type', 'application/json']]
    const response = await connection.fetch(`${url}${JOIN_PATH}`, {
      method: 'POST',
      headers,
      body: JSON.stringify(request),
    })
    ;({ ok } = response)
    answer = await response.json().catch(() => undefined)
  } catch (error) {
    throw new HyperactiveError(
      'join_failed',
      `${url} does not answer (${reasonOf(error)}); is the node running?`,
      { cause: error },
    )
  }
  const parsed = joinAnswer.safeParse(answer)
  if (!ok || !parsed.success) {
    const { error } = (answer ?? {}) as { error?: unknown }
    throw new HyperactiveError(
      'join_failed',
      `${url} did not let this node in: ${typeof error === 'string' ? error : 'it is not a Hyperactive node'}`,
    )
  }
  if (parsed.data.key !== inviter) {
    throw new HyperactiveError(
      'join_failed',
      `${url} has another key than the invitation says; nothing was changed`,
    )
  }
  await putPeer(peersPath, {
    name: peerName,
    url,
    key: inviter,
    credentials: parsed.data.login,
    accepts: { username: login.username, passwordHash: `sha256:${hashPassword(login.password)}` },
    direction: ownUrl === undefined ? 'both' : 'pull',
  })
  return peerName
}

/** A peer's name from its address, or from its key when it has none. */
export function nameFor(url: string | undefined, keyText: string): string {
  const fallback = `node-${keyText.replaceAll(/[^a-z0-9]/g, '').slice(0, 6)}`
  if (url === undefined) return fallback
  const host = new URL(url).host
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '')
    .slice(0, 40)
  return PEER_NAME.test(host) ? host : fallback
}
