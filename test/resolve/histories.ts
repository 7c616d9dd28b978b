import { createHash } from 'node:crypto'
import * as fc from 'fast-check'
import type { Strategy } from '../../src/kinds/base/kind.ts'
import { resolve } from '../../src/resolve/resolve.ts'
import type { Resolution, Version } from '../../src/resolve/resolve.ts'

export const STRATEGIES: Readonly<Record<string, Strategy>> = {
  title: 'text',
  body: 'text',
  tags: 'set',
  steps: 'list',
  files: 'files',
  language: 'latest',
}

type Fields = Record<string, unknown>

/** A history in the making: every edit gets a hash and a time that say nothing about its place. */
export class History {
  readonly graph: Record<string, string[]> = {}
  readonly bodies = new Map<string, Version>()

  /** Adds an edit; `at` orders edits for "later", and is the number of the edit unless given. */
  add(parents: readonly string[], fields: Fields, at = this.bodies.size): string {
    const hash = hashOf(`${this.bodies.size} ${JSON.stringify(fields)}`)
    this.graph[hash] = [...parents]
    this.bodies.set(hash, { hash, at: timeOf(at), fields })
    return hash
  }

  resolve(): Resolution {
    return resolve(STRATEGIES, this.graph, this.bodies)
  }
}

export function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 40)
}

export function timeOf(minute: number): string {
  return `${new Date(Date.UTC(2026, 0, 1) + minute * 60_000).toISOString()}-0000`
}

/** What one edit of a history does: which of the versions before it follows, and how it changes their merge. */
interface Step {
  parents: number[]
  at: number
  changes: { place: number; act: 'insert' | 'replace' | 'remove' | 'paragraph' }[]
  tag: number
}

const step: fc.Arbitrary<Step> = fc.record({
  parents: fc.array(fc.nat(1000), { minLength: 1, maxLength: 3 }),
  at: fc.nat(20),
  changes: fc.array(
    fc.record({
      place: fc.nat(1000),
      act: fc.constantFrom('insert', 'replace', 'remove', 'paragraph'),
    }),
    { maxLength: 4 },
  ),
  tag: fc.nat(5),
})

/** Histories in which people follow one, two or three versions, with words that tell who wrote them. */
export const histories: fc.Arbitrary<History> = fc
  .array(step, { minLength: 1, maxLength: 12 })
  .map((steps) => historyOf(steps))

function historyOf(steps: readonly Step[]): History {
  const history = new History()
  const made = [history.add([], { body: FIRST_BODY, tags: ['a', 'b'], language: 'en' })]
  for (const [number, { parents, at, changes, tag }] of steps.entries()) {
    const from = [...new Set(parents.map((parent) => made[parent % made.length] ?? ''))]
    const before = new History()
    for (const hash of ancestors(history.graph, from)) {
      before.graph[hash] = history.graph[hash] ?? []
      const body = history.bodies.get(hash)
      if (body) before.bodies.set(hash, body)
    }
    const { fields } = before.resolve()
    const tags = new Set(fields['tags'] as string[])
    const name = String.fromCodePoint(97 + tag)
    if (!tags.delete(name)) tags.add(name)
    const body = changed(fields['body'] as string, changes, number)
    made.push(history.add(from, { ...fields, body, tags: [...tags].sort() }, at))
  }
  return history
}

function changed(body: string, changes: Step['changes'], author: number): string {
  const words = body.split(' ')
  for (const [number, { place, act }] of changes.entries()) {
    const at = place % (words.length + 1)
    const word = `by${author}no${number}`
    if (act === 'paragraph') words.splice(at, 0, `\n\n${word} ${word}paragraph\n\n`)
    if (act === 'insert') words.splice(at, 0, word)
    if (act === 'replace') words.splice(at, 1, word)
    if (act === 'remove') words.splice(at, 2)
  }
  return words.join(' ')
}

/** Versions and all that they were made from. */
export function ancestors(
  graph: Readonly<Record<string, readonly string[]>>,
  of: readonly string[],
): Set<string> {
  const found = new Set<string>()
  const open = [...of]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (found.has(next)) continue
    found.add(next)
    open.push(...(graph[next] ?? []))
  }
  return found
}

const FIRST_BODY = [
  'One two three four five six seven.',
  'Eight nine ten eleven twelve thirteen.',
  'Fourteen fifteen sixteen seventeen.',
].join('\n\n')
