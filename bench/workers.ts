import { execFile } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { promisify } from 'node:util'
import { publish } from '../test/helpers/forms.ts'
import type { TestNode } from '../test/helpers/node.ts'
import { median, plain } from './figure.ts'
import type { Benchmark } from './figure.ts'
import { benchFolder, benchNode } from './nodes.ts'

const run = promisify(execFile)
const ROUNDS = 5
const SECONDS = 3
const WORKERS = 2

interface Load {
  perSecond: number
  /** The time in which 99 of 100 were answered. */
  p99Ms: number
}

export const workers: Benchmark = {
  name: 'workers',
  about: `a kept page of 30 KB with ${WORKERS} workers against none; wrk, both nodes and all workers on the same machine`,
  async run() {
    await using folder = await benchFolder()
    await using alone = benchNode(folder.path, 'alone')
    await using crowd = benchNode(folder.path, 'crowd')
    const nodes = [alone, crowd]
    const paths: string[] = []
    for (const [index, node] of nodes.entries()) {
      await mkdir(node.data, { recursive: true })
      await node.writeConfig(`url: http://news.example\nweb: { workers: ${index * WORKERS} }\n`)
      await node.start()
      const story = await publish(node, {
        title: 'Read by many',
        body: 'A text of some words. '.repeat(1200),
      })
      paths.push(story.path)
      await load(node, story.path, 1)
    }
    const [quiet, busy]: [Load[][], Load[][]] = [
      [[], []],
      [[], []],
    ]
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const [index, node] of nodes.entries()) {
        const path = paths[index] ?? '/'
        quiet[index]?.push(await load(node, path, SECONDS))
        const searching = load(node, '/search?q=words', SECONDS, 4)
        busy[index]?.push(await load(node, path, SECONDS))
        await searching
      }
    }
    const middle = (loads: Load[][], index: number, of: keyof Load) =>
      median((loads[index] ?? []).map((one) => one[of]))
    const ratio = (loads: Load[][], of: keyof Load) => middle(loads, 1, of) / middle(loads, 0, of)
    return [
      plain('workers', middle(quiet, 0, 'perSecond'), 'requests/s', 'none'),
      plain('workers', middle(quiet, 1, 'perSecond'), 'requests/s', `${WORKERS} workers`),
      plain('workers', ratio(quiet, 'perSecond'), 'times', 'requests/s, with against without'),
      plain('workers', middle(busy, 0, 'p99Ms'), 'ms p99', 'none, while the node answers searches'),
      plain(
        'workers',
        middle(busy, 1, 'p99Ms'),
        'ms p99',
        `${WORKERS} workers, while the node answers searches`,
      ),
      plain('workers', ratio(busy, 'perSecond'), 'times', 'requests/s, with against without, while it does'),
    ]
  },
}

async function load({ address }: TestNode, path: string, seconds: number, connections = 32): Promise<Load> {
  const args = ['-t1', `-c${connections}`, `-d${seconds}s`, '--latency', '-H', 'Accept-Encoding: gzip']
  const { stdout } = await run('wrk', [...args, address + path])
  const [, perSecond = '0'] = /Requests\/sec:\s+([\d.]+)/.exec(stdout) ?? []
  const [, p99 = '0', unit = 'ms'] = /99%\s+([\d.]+)(us|ms|s)/.exec(stdout) ?? []
  const toMs = { us: 0.001, ms: 1, s: 1000 }[unit] ?? 1
  return { perSecond: Number(perSecond), p99Ms: Number(p99) * toMs }
}
