import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CouchSpace } from '../test/helpers/couch-space.ts'
import { TestNode } from '../test/helpers/node.ts'

/** A folder for one benchmark. */
export async function benchFolder(): Promise<AsyncDisposable & { path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'hyperactive-bench-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true, maxRetries: 5 }) }
}

/** A node in a folder of its own, not started yet; it ends with the benchmark. */
export function benchNode(folder: string, name: string, space?: CouchSpace): TestNode & AsyncDisposable {
  const environment = { HYPERACTIVE_LOG: 'error', HYPERACTIVE_ABUSE_LIMITS: 'off', ...space?.environment }
  const node = new TestNode(join(folder, name), environment)
  return Object.assign(node, {
    async [Symbol.asyncDispose]() {
      await node.stop()
      await space?.remove()
    },
  })
}

const WORDS =
  'river council bridge school market harvest strike clinic library square night train kitchen garden tenant union bread winter signal radio page ink paper street corner friend water bank mill tower field road'.split(
    ' ',
  )

/** Writes Markdown files with front matter, about 2 KB each, all different. */
export async function writePosts(folder: string, count: number): Promise<void> {
  await mkdir(folder, { recursive: true })
  const start = Date.UTC(2020, 0, 1)
  for (let from = 0; from < count; from += 500) {
    const batch = Array.from({ length: Math.min(500, count - from) }, (_, index) => from + index)
    await Promise.all(
      batch.map((number) => {
        const date = new Date(start + number * 3_600_000).toISOString()
        const tags = `[${pick(number)}, ${pick(number * 7 + 3)}]`
        const body = Array.from({ length: 6 }, (_, part) => paragraph(number * 13 + part)).join('\n\n')
        const text = `---\ntitle: Report ${number} from the ${pick(number + 5)}\ndate: ${date}\ntags: ${tags}\nauthor: Writer ${number % 97}\ndescription: ${paragraph(number).slice(0, 150)}\n---\n\n${body}\n`
        return writeFile(join(folder, `${date.slice(0, 10)}-report-${number}.md`), text)
      }),
    )
  }
}

/** Resident memory of a process and its children, in MB. */
export async function memoryOf(processId: number): Promise<number> {
  const children = await readFile(`/proc/${processId}/task/${processId}/children`, 'utf8').catch(() => '')
  const processes = [processId, ...children.split(' ').filter(Boolean).map(Number)]
  let kilobytes = 0
  for (const id of processes) {
    const status = await readFile(`/proc/${id}/status`, 'utf8')
    kilobytes += Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0)
  }
  return kilobytes / 1024
}

/** Memory of a process and all below it, in MB; what several of them share is counted once. */
export async function memoryOfTree(processId: number): Promise<number> {
  const read = (path: string) => readFile(`/proc/${processId}/${path}`, 'utf8').catch(() => '')
  const kilobytes = Number(/^Pss:\s+(\d+)/m.exec(await read('smaps_rollup'))?.[1] ?? 0)
  const children = (await read(`task/${processId}/children`)).split(' ').filter(Boolean)
  const below = await Promise.all(children.map((id) => memoryOfTree(Number(id))))
  return kilobytes / 1024 + below.reduce((sum, megabytes) => sum + megabytes, 0)
}

/** Fifty words; the same for the same seed. */
export function paragraph(seed: number): string {
  const words = Array.from({ length: 50 }, (_, index) => pick(seed * 31 + index * index + index * seed))
  const text = words.join(' ')
  return `${text[0]?.toUpperCase() ?? ''}${text.slice(1)}.`
}

/** One of the words that everything here is made of. */
export function pick(seed: number): string {
  return WORDS[Math.abs(seed) % WORDS.length] ?? ''
}
