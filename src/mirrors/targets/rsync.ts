import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { RsyncMirror } from '../../config/mirrors.ts'
import { HyperactiveError } from '../../errors.ts'
import type { ProducedFile } from '../../produce/produced-site.ts'
import { loginRefused, MOST_TAKEN_BYTES, oneLine, unreachable, unusable } from './target.ts'
import type { Differences, Refusal, Target } from './target.ts'

const CONNECT_SECONDS = 15
/** Without a byte for so long a connection is given up. */
const SILENT_SECONDS = 60
const MOST_OUTPUT = 64 * 1024 * 1024
/** rsync's own numbers: a file that vanished is one that went while it was looked at. */
const SOME_VANISHED = 24
const SOME_NOT_SENT = 23

interface Ran {
  code: number
  out: string
  err: string
}

/**
 * A folder on another machine, by rsync over ssh: one run for a batch. Names of files go to rsync on its standard
 * input, each ended by a zero byte; host, user and folder are checked when the settings are read.
 */
export class RsyncTarget implements Target {
  readonly #mirror: RsyncMirror

  constructor(mirror: RsyncMirror) {
    this.#mirror = mirror
  }

  async put(from: string, files: ReadonlyMap<string, ProducedFile>, signal: AbortSignal): Promise<Refusal[]> {
    // What rsync takes for unchanged by size and time is not: it would not be in the batch.
    const flags = ['--ignore-times', '--chmod=D755,F644', '--delete-missing-args']
    await this.#run([...flags, ...FROM_INPUT, '--', `${from}/`, this.#place()], [...files.keys()], signal)
    return []
  }

  async remove(paths: readonly string[], signal: AbortSignal): Promise<void> {
    const empty = await mkdtemp(join(tmpdir(), 'hyperactive-mirror-'))
    try {
      const flags = ['--delete-missing-args', ...FROM_INPUT, '--', `${empty}/`, this.#place()]
      await this.#run(flags, paths, signal)
    } finally {
      await rm(empty, { recursive: true })
    }
  }

  async take(paths: readonly string[], into: string, signal: AbortSignal): Promise<void> {
    await mkdir(into, { recursive: true })
    const flags = ['--ignore-missing-args', `--max-size=${MOST_TAKEN_BYTES}`, ...FROM_INPUT]
    await this.#run([...flags, '--', this.#place(), `${into}/`], paths, signal)
  }

  async check(
    from: string,
    files: ReadonlyMap<string, ProducedFile>,
    signal: AbortSignal,
  ): Promise<Differences> {
    const flags = ['--dry-run', '--checksum', '--out-format=%i %n', '--8-bit-output', '--ignore-missing-args']
    const input = [...files.keys()]
    const { out } = await this.#run([...flags, ...FROM_INPUT, '--', `${from}/`, this.#place()], input, signal)
    const [missing, wrong]: [string[], string[]] = [[], []]
    for (const line of out.split('\n')) {
      const [, how = '', path = ''] = /^[<c]([fLDS].{9}) (.*)$/.exec(line) ?? []
      if (!files.has(path)) continue
      if (how.startsWith('f++')) missing.push(path)
      else wrong.push(path)
    }
    return { missing, wrong }
  }

  async names(signal: AbortSignal): Promise<string[]> {
    const flags = ['--list-only', '--recursive', '--links', '--8-bit-output', '--no-human-readable']
    const { out } = await this.#run([...flags, '--', this.#place()], [], signal)
    return out.split('\n').flatMap((line) => {
      const [, kind = '', name = ''] = /^(.)\S{9,10} +\d+ \S+ \S+ (.*)$/.exec(line) ?? []
      if (name === '' || kind === 'd') return []
      return [kind === 'l' ? (name.split(' -> ')[0] ?? name) : name]
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  #place(): string {
    const { user, host, folder } = this.#mirror
    return `${user === undefined ? '' : `${user}@`}${host}:${folder.replace(/\/*$/, '/')}`
  }

  #ssh(): string {
    const { port, keyFile, knownHosts } = this.#mirror
    const options = [
      'BatchMode=yes',
      'StrictHostKeyChecking=yes',
      `ConnectTimeout=${CONNECT_SECONDS}`,
      `ServerAliveInterval=${CONNECT_SECONDS}`,
      ...(keyFile === undefined ? [] : ['IdentitiesOnly=yes', `IdentityFile=${keyFile}`]),
      ...(knownHosts === undefined ? [] : [`UserKnownHostsFile=${knownHosts}`]),
    ]
    return ['ssh', '-p', String(port), ...options.flatMap((option) => ['-o', option])].join(' ')
  }

  async #run(args: readonly string[], names: readonly string[], signal: AbortSignal): Promise<Ran> {
    const all = [`--timeout=${SILENT_SECONDS}`, '-e', this.#ssh(), ...args]
    const ran = await run('rsync', all, names.map((name) => `${name}\0`).join(''), signal)
    signal.throwIfAborted()
    const { name } = this.#mirror
    const said = oneLine(ran.err) || `rsync ended with ${ran.code}`
    if (ran.code === 0 || ran.code === SOME_VANISHED) return ran
    if (/Permission denied \(|Host key verification failed|host key/i.test(ran.err))
      throw loginRefused(name, said)
    if (ran.code === SOME_NOT_SENT || ran.code === 11 || ran.code === 3) throw unusable(name, said)
    throw unreachable(name, said)
  }
}

const FROM_INPUT = ['--from0', '--files-from=-']

function run(command: string, args: readonly string[], input: string, signal: AbortSignal): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const { PATH, HOME, SSH_AUTH_SOCK } = process.env
    const child = spawn(command, args, {
      env: { PATH, HOME, LC_ALL: 'C', ...(SSH_AUTH_SOCK === undefined ? {} : { SSH_AUTH_SOCK }) },
      stdio: ['pipe', 'pipe', 'pipe'],
      signal,
    })
    const ran: Ran = { code: 0, out: '', err: '' }
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      if (ran.out.length < MOST_OUTPUT) ran.out += text
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      if (ran.err.length < 10_000) ran.err += text
    })
    child.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') return reject(error)
      const text = `${command} is not installed on this machine; mirrors of kind rsync need it, and ssh`
      reject(new HyperactiveError('rsync_missing', text, { cause: error }))
    })
    child.on('close', (code) => resolve({ ...ran, code: code ?? 1 }))
    // It may end before it has read all names; what it ended with says why.
    child.stdin.on('error', () => undefined)
    child.stdin.end(input)
  })
}
