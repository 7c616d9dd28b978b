import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import { BARE } from './environment.ts'
import { unescapeHtml } from './forms.ts'
import type { TestNode } from './node.ts'
import { until } from './wait.ts'

const MAIN = join(import.meta.dirname, '../../src/main.ts')

export interface Report {
  files: number
  written: number
  removed: number
  failed: { address: string; status: number }[]
}

/** Runs `hyperactive produce --all`; fails unless it ends well. */
export async function produce(node: TestNode, out: string, ...more: string[]): Promise<Report> {
  const ran = await node.run('produce', '--all', '--out', out, '--json', ...more)
  if (ran.code !== 0) throw new Error(`producing ended with ${ran.code}: ${ran.err}${ran.out}`)
  return JSON.parse(ran.out) as Report
}

/** Starts `hyperactive produce --all --watch`, which ends with the test; resolves when everything has been produced. */
export async function watch(
  t: ExecutionContext,
  node: TestNode,
  out: string,
  ...more: string[]
): Promise<{ output: () => string; stop: () => Promise<number | null> }> {
  const args = [
    'produce',
    '--all',
    '--watch',
    '--out',
    out,
    '--data',
    node.data,
    '--peers',
    node.peers,
    ...more,
  ]
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', MAIN, ...args], {
    env: { ...BARE, HYPERACTIVE_LOG: 'info' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const closed = once(child, 'close')
  t.teardown(async () => {
    child.kill('SIGKILL')
    await closed
  })
  await until('everything is produced', () => output.includes(' files in '), 120_000)
  return {
    output: () => output,
    async stop() {
      child.kill('SIGINT')
      await closed
      return child.exitCode
    },
  }
}

/** All files of a folder by their paths, as text. */
export async function filesOf(folder: string): Promise<Map<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  const files = new Map<string, string>()
  for (const path of paths.sort()) files.set(path.slice(folder.length + 1), await readFile(path, 'utf8'))
  return files
}

/** What two folders do not share: paths of files that one has alone, or that differ. */
export async function differences(one: string, other: string): Promise<string[]> {
  const [left, right] = await Promise.all([filesOf(one), filesOf(other)])
  const paths = new Set([...left.keys(), ...right.keys()])
  return [...paths].filter((path) => left.get(path) !== right.get(path)).sort()
}

/** Addresses in a page that a browser would go to or load. */
export function linksOf(html: string): string[] {
  const found = html.matchAll(
    /<(?:a|link|script|img|source|form|meta)\b[^>]*?\s(?:href|src|action|content)="([^"]*)"/g,
  )
  const refreshes = html.matchAll(/http-equiv="refresh" content="0; url=([^"]*)"/g)
  const metas = /^(?:width=|no-referrer|noindex|light dark|0; url=)/
  return [...found, ...refreshes]
    .map(([, text = '']) => unescapeHtml(text))
    .filter((text) => !metas.test(text))
}

/** Links between files that lead to no file, or to a place that is not in it. */
export function brokenLinks(files: ReadonlyMap<string, string>): string[] {
  const broken: string[] = []
  for (const [path, html] of files) {
    if (!path.endsWith('.html')) continue
    for (const tag of html.matchAll(/<(?:a|link)\b[^>]*?\shref="([^"]*)"/g)) {
      const href = unescapeHtml(tag[1] ?? '')
      if (/^[a-z]+:/.test(href)) continue
      const [to = '', fragment] = href.split('#', 2)
      const target = to === '' ? path : new URL(to, `http://x/${path}`).pathname.slice(1)
      const found = files.get(target)
      const isThere = fragment === undefined || (found?.includes(`id="${fragment}"`) ?? false)
      // A page that leads on has the fragment that it was asked for nowhere.
      const leadsOn = found?.includes('http-equiv="refresh"') ?? false
      if (found === undefined || href.startsWith('/') || (!isThere && !leadsOn))
        broken.push(`${path}: ${href}`)
    }
  }
  return broken
}
