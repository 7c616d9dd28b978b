import { spawn } from 'node:child_process'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { tooComplex } from './problems.ts'

/** How often it is looked how much a program has written. */
const LOOK_MS = 300
const MOST_OUTPUT = 1024 * 1024
/** Where nothing else ends a program, `timeout` does so this much later than the node would have. */
const OWN_END_SECONDS = 5
const BLOCK_BYTES = 512

/**
 * A node that is killed cannot end its programs. Its end of descriptor 3 closes then, and who waits for that ends the whole
 * group.
 *
 * `ulimit -d` counts writable private memory, which a program cannot get around with threads or mappings; `-v` would
 * count what is only reserved, of which Node takes gigabytes.
 */
const SCRIPT = [
  'ulimit -c 0 2>/dev/null || :',
  'ulimit -t "$1" 2>/dev/null || :',
  'ulimit -f "$2" 2>/dev/null || :',
  'ulimit -d "$3" 2>/dev/null || :',
  'end=$4; shift 4',
  // The node has the other end of descriptor 3. When it goes, also by a kill, everything in the group goes.
  '{ read -r gone <&3; kill -s KILL 0; } >/dev/null 2>&1 &',
  'exec 3<&-',
  'exec timeout -s KILL "$end" nice -n 19 "$@"',
].join('\n')

export interface Bounds {
  timeoutMs: number
  /** Writable memory of each of its processes. */
  memoryBytes: number
  /** What may come to stand in `folder` altogether; a single file may not grow beyond it for a moment either. */
  writtenBytes: number
}

export interface BoundedOptions {
  /** The only place where the program writes: its working, home and temp folder. */
  folder: string
  bounds: Bounds
  signal?: AbortSignal | undefined
  environment?: Record<string, string>
}

/** How a program ended by itself. */
export interface Ended {
  code: number
  output: string
  /** The last it said on its standard error. */
  complaint: string
}

const running = new Set<number>()
let watching = false

function kill(group: number): void {
  try {
    process.kill(-group, 'SIGKILL')
  } catch {
    // It is gone already.
  }
}

function endAllWithUs(): void {
  if (watching) return
  watching = true
  process.on('exit', () => {
    for (const group of running) kill(group)
  })
}

async function bytesIn(folder: string): Promise<number> {
  const names = await readdir(folder, { recursive: true }).catch(() => [])
  let bytes = 0
  for (const name of names)
    bytes += await stat(join(folder, name)).then(
      ({ size }) => size,
      () => 0,
    )
  return bytes
}

/**
 * Runs a program that reads what a stranger sent: niced, in a process group of its own, with bounds on time, memory
 * and what it writes, and an environment with nothing of ours in it. All its processes are gone when this returns.
 *
 * @throws HyperactiveError `media_too_complex` when it goes beyond a bound or is ended by a signal; or what `signal` was
 *   aborted with
 */
export async function runBounded(
  command: string,
  args: readonly string[],
  { folder, bounds, signal, environment = {} }: BoundedOptions,
): Promise<Ended> {
  const before = await bytesIn(folder)
  signal?.throwIfAborted()
  const seconds = Math.ceil(bounds.timeoutMs / 1000)
  const limits = [
    // Of all its threads together.
    seconds * 4,
    Math.ceil(bounds.writtenBytes / BLOCK_BYTES),
    Math.ceil(bounds.memoryBytes / 1024),
    seconds + OWN_END_SECONDS,
  ].map(String)
  endAllWithUs()
  const child = spawn('/bin/sh', ['-c', SCRIPT, 'sh', ...limits, command, ...args], {
    cwd: folder,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    env: {
      PATH: process.env['PATH'] ?? '/usr/bin:/bin',
      LANG: 'C.UTF-8',
      HOME: folder,
      TMPDIR: folder,
      ...environment,
    },
  })
  const group = child.pid
  if (group !== undefined) running.add(group)
  let stopped: Error | undefined
  const stop = (why: Error) => {
    stopped ??= why
    if (group !== undefined) kill(group)
  }
  let output = ''
  let complaint = ''
  // What it left behind may hold its output open; with this it goes as well.
  child.on('exit', () => child.stdio[3]?.destroy())
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    output += text
    if (output.length > MOST_OUTPUT) stop(tooComplex('it answers without an end'))
  })
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-4096)
  })
  const timer = setTimeout(
    () => stop(tooComplex(`it takes longer than ${seconds} seconds`)),
    bounds.timeoutMs,
  )
  const look = setInterval(() => {
    void bytesIn(folder).then((bytes) => {
      if (bytes - before > bounds.writtenBytes) stop(tooComplex('what comes out of it is too large'))
    })
  }, LOOK_MS)
  const onAbort = () => stop(signal?.reason instanceof Error ? signal.reason : new Error('aborted'))
  signal?.addEventListener('abort', onAbort, { once: true })
  try {
    const { promise, resolve, reject } = Promise.withResolvers<{ code: number | null; by: string | null }>()
    child.on('error', reject)
    child.on('close', (code, by) => resolve({ code, by }))
    const { code, by } = await promise
    if (stopped) throw stopped
    // 124 and above, but for "not found" and "not a program", are the wrapper's words for a signal.
    if (code === null || code === 124 || code === 125 || code > 127) {
      const reason = `ended by ${by ?? `code ${code}`}: ${complaint}`
      throw tooComplex('reading it takes too much, or ended the program that reads it', new Error(reason))
    }
    return { code, output, complaint }
  } finally {
    clearTimeout(timer)
    clearInterval(look)
    signal?.removeEventListener('abort', onAbort)
    if (group !== undefined) {
      // What it started and left behind.
      kill(group)
      running.delete(group)
    }
  }
}
