import { Command, InvalidArgumentError } from 'commander'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { LoadedConfig } from '../config/config.ts'
import { refuseOnMirror } from '../config/mirror.ts'
import { findRunningNode } from '../config/data-folder.ts'
import { HyperactiveError } from '../errors.ts'
import { loadNodeKey } from '../ledger/keys.ts'
import { freeName, putPeer, removePeer, resyncPeer } from '../replication/edit-peers.ts'
import { Invitations, isInvitation, parseInvitation } from '../replication/invitations.ts'
import { joinNetwork, nameFor } from '../replication/join.ts'
import { peerFetch } from '../replication/peer-fetch.ts'
import { lagBehind } from '../replication/arrivals.ts'
import { loadPeers } from '../replication/peers-file.ts'
import { probePeer } from '../replication/probe.ts'
import { readPeersStatus } from '../replication/status.ts'
import type { LinkStatus } from '../replication/status.ts'
import { openStoreForCommand } from '../store.ts'
import { describeLag } from './where.ts'
import { print, settingsOf, withExamples, withSettings } from './context.ts'

/** `hyperactive peer …`: the commands edit peers.yaml, and a running node takes the change up by itself. */
export function peerCommand(): Command {
  return new Command('peer')
    .description('the nodes that this node replicates with')
    .addCommand(inviteCommand())
    .addCommand(addCommand())
    .addCommand(listCommand())
    .addCommand(testCommand())
    .addCommand(resyncCommand())
    .addCommand(removeCommand())
}

function inviteCommand(): Command {
  const command = withSettings(new Command('invite'))
    .description('print one line by which another node can join; valid once')
    .option('--name <name>', 'what to call the new peer here')
    .option('--days <number>', 'how long the invitation is valid', wholeNumber, 7)
    .option('--json', 'print JSON')
    .action(async (options: { name?: string; days: number; json?: boolean }) => {
      const { config } = settingsOf(command)
      refuseOnMirror(config)
      const key = await keyOf(config.data)
      const url = config.url ?? (await findRunningNode(config.data))?.address
      if (url === undefined) {
        const text = 'this node has no address that others could join at; start it, or set --url'
        throw new HyperactiveError('no_address', text)
      }
      const { name, days } = options
      const invitation = await new Invitations(config.data).create(
        { url, key: key.publicKey },
        { name, days },
      )
      print(options.json, { invitation, url }, invitation)
    })
  return withExamples(command, 'peer invite', 'peer invite --name athens --days 2')
}

interface AddOptions {
  name?: string
  username?: string
  passwordFile?: string
  key?: string
  direction: string
  json?: boolean
}

function addCommand(): Command {
  const command = withSettings(new Command('add'))
    .description('join by an invitation, or add a peer by its address')
    .argument('<invitation|address>', 'the line that `peer invite` printed on the other node, or its address')
    .option('--name <name>', 'what to call the peer here')
    .option('--username <name>', 'what the peer calls this node (by address only)')
    .option('--password-file <file>', 'file that holds the password for the peer (by address only)')
    .option('--key <key>', "the peer's public key, if this node is to vouch for it (by address only)")
    .option('--direction <direction>', 'pull, push or both (by address only)', 'both')
    .option('--json', 'print JSON')
    .action(async (target: string, options: AddOptions) => {
      const loaded = settingsOf(command)
      const name = isInvitation(target)
        ? await addByInvitation(loaded, target, options)
        : await addByAddress(loaded, target, options)
      print(options.json, { name, file: loaded.config.peers }, `added "${name}" to ${loaded.config.peers}`)
    })
  return withExamples(
    command,
    'peer add hyperactive-invitation:eyJ1cmwi…',
    'peer add https://athens.example --username berlin --password-file secret.txt',
  )
}

async function addByInvitation(
  { config }: LoadedConfig,
  target: string,
  { name }: AddOptions,
): Promise<string> {
  const key = await keyOf(config.data)
  return joinNetwork(parseInvitation(target), { peersPath: config.peers, key, ownUrl: config.url, name })
}

async function addByAddress({ config }: LoadedConfig, target: string, options: AddOptions): Promise<string> {
  if (!URL.canParse(target)) {
    throw new HyperactiveError(
      'bad_address',
      `"${target}" is neither an invitation nor an http or https address`,
    )
  }
  const { username, passwordFile, key, direction } = options
  const name = await freeName(config.peers, options.name ?? nameFor(target, key ?? ''))
  let credentials: object = {}
  if (username !== undefined && passwordFile !== undefined) {
    credentials = { credentials: { username, password: (await readFile(passwordFile, 'utf8')).trim() } }
  }
  await putPeer(config.peers, { name, url: target, ...(key ? { key } : {}), ...credentials, direction })
  return name
}

function listCommand(): Command {
  const command = withSettings(new Command('list'))
    .description('the peers and how their links are')
    .option('--json', 'print JSON')
    .action(async (options: { json?: boolean }) => {
      const loaded = settingsOf(command)
      const peers = await loadPeers(loaded.config.peers)
      const running = (await findRunningNode(loaded.config.data)) !== undefined
      await using store = await openStoreForCommand(loaded)
      const { database } = store.ledger
      const { links, confirmed } = await readPeersStatus(database)
      const lags = await Promise.all(
        peers.map(({ name }) => lagBehind(database, confirmed[name], Date.now())),
      )
      const listed = peers.map(({ name, url, direction, enabled }, index) => ({
        name,
        lag: lags[index] ?? null,
        url: url ?? null,
        direction,
        enabled,
        links: links
          .filter(({ peer }) => peer === name)
          .map((link) => (running ? link : { ...link, state: 'stopped' as const })),
      }))
      const text = listed.flatMap(({ name, url, direction, lag, links: own }) => [
        `${name}  ${url ?? '(calls this node)'}  ${direction}`,
        ...(lag ? [`  ${describeLag(lag)}`] : []),
        ...own.map(describeLink),
      ])
      print(
        options.json,
        { running, peers: listed },
        text.length > 0 ? text.join('\n') : 'no peers; `hyperactive peer invite` makes an invitation',
      )
    })
  return withExamples(command, 'peer list', 'peer list --json')
}

function describeLink(link: LinkStatus): string {
  const facts = [
    `last success ${link.lastSuccess ?? 'never'}`,
    `${link.pending} pending`,
    `${link.written} written`,
    `${link.refused} refused`,
    ...(link.lastRefusal ? [`last refusal: ${link.lastRefusal}`] : []),
    ...(link.lastError ? [`error: ${link.lastError}`] : []),
    ...(link.nextRetry ? [`next try ${link.nextRetry}`] : []),
  ]
  return `  ${link.direction}  ${link.state}  ${facts.join(', ')}`
}

function testCommand(): Command {
  const command = withSettings(new Command('test'))
    .description('look at the peers’ gateways and say what is wrong; fails if any is')
    .argument('[name]', 'one peer only')
    .option('--json', 'print JSON')
    .action(async (name: string | undefined, options: { json?: boolean }) => {
      const { config } = settingsOf(command)
      const peers = (await loadPeers(config.peers)).filter((peer) => name === undefined || peer.name === name)
      if (name !== undefined && peers.length === 0) {
        throw new HyperactiveError(
          'unknown_peer',
          `there is no peer "${name}"; \`hyperactive peer list\` shows them`,
        )
      }
      const { publicKey } = await keyOf(config.data)
      const results: { name: string; verdict: string; text: string }[] = []
      for (const { name: peerName, url, credentials, key } of peers) {
        if (url === undefined) continue
        await using connection = peerFetch({
          login: credentials,
          idleTimeoutMs: config.replication.idleTimeoutMs,
        })
        const { verdict, text } = await probePeer({
          url,
          fetch: connection.fetch,
          ownKey: publicKey,
          expectedKey: key,
          clockAheadMs: config.limits.clockAheadMs,
        })
        results.push({ name: peerName, verdict, text })
      }
      print(
        options.json,
        { peers: results },
        results.map((result) => `${result.name}  ${result.verdict}  ${result.text}`).join('\n'),
      )
      if (results.some(({ verdict }) => verdict !== 'ok')) process.exitCode = 1
    })
  return withExamples(command, 'peer test', 'peer test athens --json')
}

function resyncCommand(): Command {
  const command = withSettings(new Command('resync'))
    .description(
      'look through the whole ledger of a peer again, and send it the whole of this one: for documents that were refused and would be welcome now',
    )
    .argument('<name>', 'the peer')
    .option('--json', 'print JSON')
    .action(async (name: string, options: { json?: boolean }) => {
      const { config } = settingsOf(command)
      await resyncPeer(config.peers, name)
      print(
        options.json,
        { resync: name },
        `the links with "${name}" start from zero; what is there already is not sent again`,
      )
    })
  return withExamples(command, 'peer resync athens')
}

function removeCommand(): Command {
  const command = withSettings(new Command('remove'))
    .description('end the links with a peer and take its block out of the file')
    .argument('<name>', 'the peer')
    .option('--json', 'print JSON')
    .action(async (name: string, options: { json?: boolean }) => {
      const { config } = settingsOf(command)
      await removePeer(config.peers, name)
      print(options.json, { removed: name }, `removed "${name}" from ${config.peers}`)
    })
  return withExamples(command, 'peer remove athens')
}

function keyOf(dataFolder: string) {
  return loadNodeKey(join(dataFolder, 'node.key'))
}

function wholeNumber(text: string): number {
  if (!/^[1-9]\d{0,3}$/.test(text)) throw new InvalidArgumentError('must be a whole number from 1')
  return Number(text)
}
