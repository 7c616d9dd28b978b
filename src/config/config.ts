import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { join, resolve } from 'node:path'
import { parseDocument } from 'yaml'
import { z } from 'zod'
import { HyperactiveError, messageOf } from '../errors.ts'
import { isKeyText } from '../ledger/keys.ts'
import { abuseSettings } from './abuse.ts'
import { mirrorSettings, partMirrors } from './mirrors.ts'
import type { Mirror, MirrorSecrets } from './mirrors.ts'
import { mediaSettings, partStore } from './media.ts'
import type { MediaStore, StoreSecrets } from './media.ts'
import { cacheSettings, proxySettings } from './proxies.ts'

const url = z
  .url({ protocol: /^https?$/, error: 'is not an http or https address' })
  .transform((text) => text.replace(/\/+$/, ''))
const port = z.int().min(0).max(65_535)
const count = z.int().min(1)

const couchdb = z.strictObject({
  url: url.optional(),
  prefix: z
    .string()
    .regex(/^([a-z][a-z0-9_-]{0,39})?$/, 'must be up to 40 of a-z, 0-9, "_" and "-", a letter first')
    .default(''),
  gatewayUrl: url.optional(),
})

/** Whether this machine knows a time zone by this name (IANA). */
function isZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== ''
  } catch {
    return false
  }
}

const notices = z.strictObject({
  smtp: z
    .strictObject({
      url: z.url({ protocol: /^smtps?$/, hostname: /./, error: 'is not an smtp or smtps address' }),
      from: z.email('is not an e-mail address'),
      to: z.array(z.email('is not an e-mail address')).min(1, 'names nobody').max(100),
    })
    .optional(),
  webhook: z.url({ protocol: /^https?$/, error: 'is not an http or https address' }).optional(),
  everyMinutes: z
    .int()
    .min(1)
    .max(24 * 60)
    .default(15),
})

/** Every setting with its default. `docs/configuration.md` explains each. */
const settings = z.strictObject({
  data: z.string().default('data'),
  host: z.string().min(1).default('127.0.0.1'),
  port: port.default(8080),
  url: url.optional(),
  peers: z.string().default('replication/peers.yaml'),
  couchdb: couchdb.prefault({}),
  site: z
    .strictObject({
      name: z.string().min(1).max(100).default('Hyperactive'),
      description: z.string().max(300).default('News from everywhere, published by everyone'),
      language: z.string().min(2).max(35).default('en'),
      timeZone: z
        .string()
        .refine((zone) => isZone(zone), 'is not the name of a time zone such as Europe/Madrid')
        .default('UTC'),
    })
    .prefault({}),
  trust: z.array(z.string()).default([]),
  limits: z
    .strictObject({
      formBytes: count.default(3 * 1024 * 1024),
      documentBytes: count.default(2 * 1024 * 1024),
      requestBytes: count.default(64 * 1024 * 1024),
      clockAheadMs: count.default(10 * 60 * 1000),
      strangersPerPeer: z.int().min(0).default(1000),
    })
    .prefault({}),
  moderation: z
    .strictObject({
      decisions: z
        .union([z.enum(['all', 'own']), z.array(z.string().refine(isKeyText, 'is not a public key'))])
        .default('all'),
      erasures: z.enum(['execute', 'ask']).default('ask'),
      publishing: z.enum(['open', 'review']).default('open'),
      comments: z.enum(['open', 'review', 'closed']).default('open'),
      reviewFrom: z.iso.date().optional(),
      concealNeeds: z.int().min(1).max(5).default(1),
    })
    .prefault({}),
  produce: z.strictObject({ url: url.optional(), live: z.array(url).max(8).default([]) }).prefault({}),
  pages: z
    .strictObject({
      memoryBytes: z
        .int()
        .min(0)
        .default(64 * 1024 * 1024),
      folder: z.string().min(1).optional(),
      fileBytes: z
        .int()
        .min(0)
        .default(512 * 1024 * 1024),
      cache: cacheSettings,
    })
    .prefault({}),
  proxies: proxySettings,
  web: z
    .strictObject({
      workers: z.int().min(0).max(64).default(0),
      connections: z.int().min(10).max(100_000).default(4000),
      reachableAt: url.refine((text) => text.startsWith('http:'), 'must begin with http://').optional(),
    })
    .prefault({}),
  mirror: z.strictObject({ publishAt: z.array(url).min(1, 'names no node').max(20) }).optional(),
  live: z
    .strictObject({
      on: z.boolean().default(true),
      connections: z.int().min(1).max(100_000).default(500),
      heartbeatMs: z.int().min(100).max(60_000).default(25_000),
    })
    .prefault({}),
  abuse: abuseSettings,
  notices: notices.prefault({}),
  mirrors: mirrorSettings,
  media: mediaSettings,
  feeds: z
    .strictObject({
      pull: z.boolean().default(true),
      every: z
        .int()
        .min(5)
        .max(24 * 60)
        .default(30),
      allow: z.array(z.string().refine((text) => isIP(text) !== 0, 'is not an IP address')).default([]),
    })
    .prefault({}),
  replication: z
    .strictObject({
      runner: z.enum(['node', 'couchdb']).default('node'),
      batchSize: count.default(500),
      heartbeatMs: count.default(5000),
      idleTimeoutMs: count.default(15_000),
      longestPauseMs: count.default(30_000),
      lookPauseMs: count.default(2000),
    })
    .prefault({}),
})

type Settings = z.output<typeof settings>

/** All settings of a node, read once and frozen. Paths are absolute. */
export interface Config extends Omit<
  Settings,
  'couchdb' | 'notices' | 'pages' | 'proxies' | 'mirrors' | 'media'
> {
  /** Pictures, sound, film and other files; keys of their store are among the secrets. */
  readonly media: Omit<Settings['media'], 'store'> & { readonly store: MediaStore }
  readonly pages: Settings['pages'] & { readonly folder: string }
  /** Settings of a CouchDB; its address is among the secrets. */
  readonly couchdb: Omit<Settings['couchdb'], 'url'>
  /** Servers in front of this one that keep pages; what proves to them who asks is among the secrets. */
  readonly proxies: readonly Omit<Settings['proxies'][number], 'secret'>[]
  /** How moderators get notices; the addresses to send them to are among the secrets. */
  readonly notices: {
    readonly smtp?: Omit<NonNullable<Settings['notices']['smtp']>, 'url'>
    readonly everyMinutes: number
  }
  /** Where the produced site is copied to; keys and passwords are among the secrets. */
  readonly mirrors: readonly Mirror[]
  /** Where settings were read from, for messages: a path, or undefined without a file. */
  readonly file: string | undefined
}

/** What must not be shown or logged, apart from the settings. */
export interface Secrets {
  /** The CouchDB to use, with credentials; undefined for the embedded store. */
  readonly couchdbUrl: string | undefined
  /** The mail server for notices, with its password. */
  readonly smtpUrl?: string | undefined
  /** Where notices are posted to: whoever knows it may post there, too. */
  readonly webhook?: string | undefined
  /** Keys and passwords of mirrors, by the mirror's name. */
  readonly mirrors?: Readonly<Record<string, MirrorSecrets>>
  /** Keys of the store of files. */
  readonly media?: StoreSecrets
  /** What proves to each of the proxies that this node asks, in their order. */
  readonly proxies?: readonly (string | undefined)[]
}

export interface LoadedConfig {
  readonly config: Readonly<Config>
  readonly secrets: Secrets
}

/** Settings as given on the command line; they win over the environment, which wins over the file. */
export interface Flags {
  config?: string
  data?: string
  host?: string
  port?: string
  url?: string
  peers?: string
}

type Environment = Readonly<Record<string, string | undefined>>

/** Environment variables and the setting that each gives. */
const VARIABLES = {
  HYPERACTIVE_DATA: ['data'],
  HYPERACTIVE_HOST: ['host'],
  HYPERACTIVE_PORT: ['port'],
  HYPERACTIVE_URL: ['url'],
  HYPERACTIVE_PEERS: ['peers'],
  HYPERACTIVE_SITE_NAME: ['site', 'name'],
  HYPERACTIVE_ABUSE_LIMITS: ['abuse', 'limits'],
  COUCHDB_URL: ['couchdb', 'url'],
  HYPERACTIVE_COUCHDB_PREFIX: ['couchdb', 'prefix'],
} as const

const OTHER_VARIABLES = new Set(['HYPERACTIVE_CONFIG', 'HYPERACTIVE_LOG'])

/**
 * Reads the settings: file < environment < flags. The file is the one named by `--config` or `HYPERACTIVE_CONFIG`, or
 * else `config.yaml` in the data folder, where there is one.
 *
 * @throws HyperactiveError `bad_config`: one line that names the setting, where it came from and what is wrong
 */
export function loadConfig(flags: Flags = {}, environment: Environment = process.env): LoadedConfig {
  for (const name of Object.keys(environment)) {
    const ours = name in VARIABLES || OTHER_VARIABLES.has(name) || name.startsWith('HYPERACTIVE_TEST_')
    if (name.startsWith('HYPERACTIVE_') && !ours)
      throw badConfig(`environment variable ${name} is not a setting`)
  }
  const named = flags.config ?? environment.HYPERACTIVE_CONFIG
  const data = resolve(flags.data ?? environment.HYPERACTIVE_DATA ?? 'data')
  const file = named === undefined ? join(data, 'config.yaml') : resolve(named)
  const fromFile = readConfigFile(file, named !== undefined)
  const given: Record<string, unknown> = structuredClone(fromFile ?? {})
  for (const [name, path] of Object.entries(VARIABLES)) {
    const text = environment[name]
    if (text !== undefined && text !== '') put(given, path, path[0] === 'port' ? numberOf(text, name) : text)
  }
  for (const name of ['data', 'host', 'port', 'url', 'peers'] as const) {
    const text = flags[name]
    if (text !== undefined) put(given, [name], name === 'port' ? numberOf(text, '--port') : text)
  }
  const parsed = settings.safeParse(given)
  if (!parsed.success) throw badConfig(describe(parsed.error, file, fromFile !== undefined))
  const { couchdb, notices, pages, proxies, mirrors: givenMirrors, media, ...rest } = parsed.data
  const { url: couchdbUrl, ...couchdbSettings } = couchdb
  if (rest.replication.runner === 'couchdb' && couchdbUrl === undefined)
    throw badConfig('replication.runner: couchdb needs a CouchDB; set COUCHDB_URL, or runner: node')
  const { webhook, smtp, everyMinutes } = notices
  const { url: smtpUrl, ...smtpSettings } = smtp ?? { url: undefined }
  const { mirrors, secrets: mirrorSecrets } = partMirrors(givenMirrors, (path, problem) =>
    badConfig(`${path}: ${problem}`),
  )
  const { store, secrets: mediaSecrets } = partStore(media.store, (path, problem) =>
    badConfig(`${path}: ${problem}`),
  )
  const config: Config = {
    ...rest,
    media: { ...media, store },
    mirrors,
    couchdb: couchdbSettings,
    proxies: proxies.map(({ url: address, method }) => ({ url: address, method })),
    notices: { ...(smtp ? { smtp: smtpSettings as Omit<typeof smtp, 'url'> } : {}), everyMinutes },
    data: resolve(rest.data),
    pages: { ...pages, folder: resolve(pages.folder ?? join(rest.data, 'pages')) },
    peers: resolve(rest.peers),
    file: fromFile ? file : undefined,
  }
  const proxySecrets = proxies.map(({ secret }) => secret)
  const secrets = {
    couchdbUrl,
    smtpUrl,
    webhook,
    proxies: proxySecrets,
    mirrors: mirrorSecrets,
    media: mediaSecrets,
  }
  return { config: deepFreeze(config), secrets: Object.freeze(secrets) }
}

/**
 * Checks the address and prefix of a CouchDB that flags give, by the rules of the settings of the same names.
 *
 * @throws HyperactiveError `bad_config`, naming the flag
 */
export function checkCouchdb(address: string, prefix: string): { url: string; prefix: string } {
  const parsed = couchdb.required({ url: true }).safeParse({ url: address, prefix })
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  throw badConfig(`${issue?.path[0] === 'prefix' ? '--prefix' : '--to'}: ${issue?.message ?? 'is not valid'}`)
}

function readConfigFile(file: string, wanted: boolean): Record<string, unknown> | undefined {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    // A data folder that is a file is told by whoever opens it.
    const { code } = error as NodeJS.ErrnoException
    if (!wanted && (code === 'ENOENT' || code === 'ENOTDIR')) return undefined
    throw badConfig(`${file} cannot be read: ${messageOf(error)}`, error)
  }
  const document = parseDocument(text)
  const problem = document.errors[0]
  if (problem) throw badConfig(`${file}: ${problem.message.split('\n')[0] ?? ''}`)
  const value: unknown = document.toJS() ?? {}
  if (typeof value !== 'object' || Array.isArray(value))
    throw badConfig(`${file} must hold settings as "name: value"`)
  return value as Record<string, unknown>
}

function put(target: Record<string, unknown>, [name, ...rest]: readonly string[], value: unknown): void {
  if (name === undefined) return
  if (rest.length === 0) {
    target[name] = value
    return
  }
  const inner = target[name]
  const section = typeof inner === 'object' && inner !== null ? (inner as Record<string, unknown>) : {}
  target[name] = section
  put(section, rest, value)
}

function numberOf(text: string, name: string): number {
  if (!/^\d+$/.test(text)) throw badConfig(`${name} must be a whole number, not "${text}"`)
  return Number(text)
}

function describe(error: z.ZodError, file: string, fileRead: boolean): string {
  const issue = error.issues[0]
  const where = fileRead ? ` (settings come from ${file}, the environment and flags)` : ''
  if (!issue) return 'the settings are not valid'
  const path = issue.path.join('.')
  if (issue.code === 'unrecognized_keys') {
    const names = issue.keys.map((key) => (path ? `${path}.${key}` : key)).join(', ')
    return `${names} is not a setting; \`hyperactive config check\` lists them all${where}`
  }
  return `${path}: ${issue.message}${where}`
}

function badConfig(message: string, cause?: unknown): HyperactiveError {
  return new HyperactiveError('bad_config', message, { status: 400, cause })
}

function deepFreeze<Value extends object>(value: Value): Value {
  for (const entry of Object.values(value)) if (typeof entry === 'object' && entry !== null) deepFreeze(entry)
  return Object.freeze(value)
}
