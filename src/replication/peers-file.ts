import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { LineCounter, parse, parseDocument } from 'yaml'
import type { Document } from 'yaml'
import { z } from 'zod'
import type { Config } from '../config/config.ts'
import { HyperactiveError, messageOf } from '../errors.ts'
import { isKeyText } from '../ledger/keys.ts'

/** What a name may look like: it stands in addresses, file names and log lines. */
export const PEER_NAME = /^[a-z0-9][a-z0-9-]{0,39}$/

const name = z.string().regex(PEER_NAME, 'must be 1 to 40 of a-z, 0-9 and "-"')
const password = z
  .string()
  .min(16, 'must have 16 characters or more; `hyperactive peer invite` makes a good one')
const login = z.strictObject({ username: name, password })

const peer = z.strictObject({
  name,
  url: z
    .url({ protocol: /^https?$/, error: 'must be the http or https address of a node' })
    .refine((text) => !/\/\/[^/]*@/.test(text), 'must hold no password; use `credentials`')
    .transform((text) => text.replace(/\/+$/, ''))
    .optional(),
  key: z.string().refine(isKeyText, 'must be the public key of a node').optional(),
  credentials: z.union([login, z.strictObject({ file: z.string().min(1) })]).optional(),
  accepts: z
    .union([
      login,
      z.strictObject({ username: name, passwordHash: z.string().regex(/^sha256:[0-9a-f]{64}$/) }),
    ])
    .optional(),
  direction: z.enum(['pull', 'push', 'both']).default('both'),
  enabled: z.boolean().default(true),
  resync: z.int().min(0).default(0),
  people: z.boolean().default(false),
})

const file = z.strictObject({ peers: z.array(peer).nullable().default([]) })

/** What this node says to a peer, or a peer to this node. */
export interface Login {
  username: string
  password: string
}

/** One block of peers.yaml, with its credentials read. */
export interface Peer extends Omit<z.output<typeof peer>, 'credentials'> {
  credentials?: Login
}

/**
 * Reads peers.yaml. A file that is not there names no peers.
 *
 * @throws HyperactiveError `bad_peers_file` with file, line and reason
 */
export async function loadPeers(path: string): Promise<Peer[]> {
  const text = await readPeersText(path)
  return text === undefined ? [] : parsePeers(text, path)
}

/** The file's text, or undefined when there is none. */
export async function readPeersText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw badFile(`${path} cannot be read: ${messageOf(error)}`, error)
  }
}

/** Reads the text of peers.yaml; credentials in files of their own are found relative to it. */
export async function parsePeers(text: string, path: string): Promise<Peer[]> {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines })
  const [problem] = document.errors
  if (problem) {
    throw badFile(
      `${path}:${lines.linePos(problem.pos[0]).line}: ${problem.message.split('\n')[0] ?? 'is not YAML'}`,
    )
  }
  const parsed = file.safeParse(document.toJS() ?? {})
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    const keys = issue?.path ?? []
    const unknown = issue?.code === 'unrecognized_keys' ? issue.keys[0] : undefined
    const line = lineOf(document, lines, unknown === undefined ? keys : [...keys, unknown])
    const reason = unknown === undefined ? (issue?.message ?? '') : `"${unknown}" is not a setting of a peer`
    throw badFile(`${path}:${line}: ${keys.map(String).join('.')} ${reason}`)
  }
  const peers = parsed.data.peers ?? []
  for (const [index, { name: wanted }] of peers.entries()) {
    if (peers.findIndex((other) => other.name === wanted) === index) continue
    throw badFile(
      `${path}:${lineOf(document, lines, ['peers', index, 'name'])}: the name "${wanted}" occurs twice`,
    )
  }
  return Promise.all(
    peers.map(async ({ credentials, ...rest }, index) => {
      if (!credentials) return rest
      if (!('file' in credentials)) return { ...rest, credentials }
      const where = `${path}:${lineOf(document, lines, ['peers', index, 'credentials'])}`
      return { ...rest, credentials: await readCredentials(resolve(dirname(path), credentials.file), where) }
    }),
  )
}

/** The keys that a node trusts: its own first, then those of its settings and of its peers. */
export async function anchorsOf(config: Pick<Config, 'peers' | 'trust'>, ownKey: string): Promise<string[]> {
  const peers = await loadPeers(config.peers)
  return [ownKey, ...config.trust, ...peers.flatMap(({ key }) => key ?? [])]
}

async function readCredentials(path: string, where: string): Promise<Login> {
  try {
    return login.parse(parse(await readFile(path, 'utf8')))
  } catch (error) {
    throw badFile(
      `${where}: the credentials file ${path} must be readable and hold username and password`,
      error,
    )
  }
}

function lineOf(document: Document, lines: LineCounter, path: readonly PropertyKey[]): number {
  for (let length = path.length; length > 0; length -= 1) {
    const node = document.getIn(path.slice(0, length), true) as
      { range?: [number, number, number] } | undefined
    if (node?.range) return lines.linePos(node.range[0]).line
  }
  return 1
}

function badFile(message: string, cause?: unknown): HyperactiveError {
  return new HyperactiveError('bad_peers_file', message, { status: 400, cause })
}
