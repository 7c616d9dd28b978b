import type { LinkState, Slowness } from '../helpers/link.ts'
import { Random } from '../helpers/random.ts'
import type { PeerChange } from './network.ts'
import { edgeName } from './topologies.ts'
import type { Topology } from './topologies.ts'

/** A text that occurs in one version alone, by which that version is found again. */
export type Marker = string

/** What an edit changes besides its marker. */
export interface Change {
  marker: Marker
  part: 'title' | 'tags' | 'body'
  /** Which paragraph of the body, from 0. */
  paragraph: number
}

/** One thing that is done to a network: plain JSON, so that a list of them can be kept and done again. */
export type Operation =
  | { do: 'publish'; node: string; article: string; marker: Marker; presses: number }
  | { do: 'comment'; node: string; article: string; marker: Marker }
  /** Several people open the form, each on a node, and then all of them save. */
  | { do: 'edit'; article: string; people: { node: string; change: Change }[] }
  | { do: 'open-form'; node: string; article: string; form: string }
  | { do: 'save-form'; form: string; change: Change }
  | { do: 'import'; node: string; markers: Marker[] }
  | { do: 'stop' | 'kill' | 'start' | 'pause' | 'resume' | 'kill-store'; node: string }
  | { do: 'fill-disk' | 'free-disk'; node: string }
  | { do: 'clock'; node: string; skewMs: number }
  | { do: 'link'; link: string; state: LinkState; slowness?: Slowness }
  | { do: 'reset'; link: string }
  | { do: 'peers'; node: string; peer: string; change?: PeerChange }
  /** Several at the same time, and the last one so much later: in the midst of them. */
  | { do: 'together'; operations: Operation[]; last: Operation; afterMs: number }

/** Two clocks that are off by this much in opposite directions are still within what links allow. */
const MOST_SKEW_MS = 280_000
const PARAGRAPHS = 6

/** Makes a random list of operations that follows from the seed. */
export function makeOperations({ nodes, edges }: Topology, seed: number, count: number): Operation[] {
  const random = new Random(seed)
  const links = edges.map(edgeName)
  const articles: string[] = []
  const forms: string[] = []
  const down = new Set<string>()
  const paused = new Set<string>()
  const full = new Set<string>()
  const faulty = new Set<string>()
  const changed = new Set<string>()
  let markers = 0
  let opened = 0

  const marker = () => `told${seed.toString(36)}x${String((markers += 1)).padStart(4, '0')}`
  const change = (): Change => ({
    marker: marker(),
    part: random.pick(['title', 'tags', 'body', 'body', 'body']),
    paragraph: random.int(0, PARAGRAPHS - 1),
  })
  const node = () => random.pick(nodes)
  const up = () => nodes.filter((name) => !down.has(name))
  const mayFall = () => down.size + paused.size < Math.max(nodes.length / 2, 1)

  const publish = (): Operation => {
    const article = `a${articles.length + 1}`
    articles.push(article)
    return { do: 'publish', node: node(), article, marker: marker(), presses: random.chance(0.2) ? 2 : 1 }
  }
  const edit = (): Operation => {
    if (articles.length === 0) return publish()
    const people = random.some(nodes, random.pick([1, 1, 2, 2, 3]))
    return {
      do: 'edit',
      article: random.pick(articles),
      people: people.map((name) => ({ node: name, change: change() })),
    }
  }
  const comment = (): Operation => {
    if (articles.length === 0) return publish()
    return { do: 'comment', node: node(), article: random.pick(articles), marker: marker() }
  }
  const openForm = (): Operation => {
    if (articles.length === 0) return publish()
    const form = `f${(opened += 1)}`
    forms.push(form)
    return { do: 'open-form', node: node(), article: random.pick(articles), form }
  }
  const saveForm = (): Operation => {
    const [form] = random.some(forms, 1)
    if (form === undefined) return openForm()
    forms.splice(forms.indexOf(form), 1)
    return { do: 'save-form', form, change: change() }
  }
  const imports = (): Operation => ({
    do: 'import',
    node: node(),
    markers: Array.from({ length: random.int(1, 12) }, marker),
  })
  const fall = (): Operation => {
    if (!mayFall() || up().length === 0) return repair()
    const name = random.pick(up())
    down.add(name)
    paused.delete(name)
    full.delete(name)
    return { do: random.chance(0.7) ? 'kill' : 'stop', node: name }
  }
  const pause = (): Operation => {
    if (!mayFall() || up().length === 0) return repair()
    const name = random.pick(up())
    paused.add(name)
    return { do: 'pause', node: name }
  }
  const fillDisk = (): Operation => {
    const name = random.pick(up())
    full.add(name)
    return { do: 'fill-disk', node: name }
  }
  const repair = (): Operation => {
    const repairs = [
      ...[...down].map((name): Operation => ({ do: 'start', node: name })),
      ...[...paused].map((name): Operation => ({ do: 'resume', node: name })),
      ...[...full].map((name): Operation => ({ do: 'free-disk', node: name })),
    ]
    const [picked] = random.some(repairs, 1)
    if (!picked || !('node' in picked)) return edit()
    const names = picked.do === 'start' ? down : picked.do === 'resume' ? paused : full
    names.delete(picked.node)
    return picked
  }
  const clock = (): Operation => {
    const name = random.pick(up())
    paused.delete(name)
    full.delete(name)
    return { do: 'clock', node: name, skewMs: random.int(-MOST_SKEW_MS, MOST_SKEW_MS) }
  }
  const link = (): Operation => {
    const [healed] = random.some([...faulty], 1)
    if (healed !== undefined && random.chance(0.4)) {
      faulty.delete(healed)
      return { do: 'link', link: healed, state: 'open', slowness: {} }
    }
    const name = random.pick(links)
    if (random.chance(0.15)) return { do: 'reset', link: name }
    faulty.add(name)
    if (random.chance(0.35)) return { do: 'link', link: name, state: 'open', slowness: slowness(random) }
    const state = random.pick([
      'cut',
      'cut',
      'half-open',
      'swallow-requests',
      'swallow-answers',
      '503',
    ] as const)
    return { do: 'link', link: name, state }
  }
  const peers = (): Operation => {
    const [restored] = random.some([...changed], 1)
    if (restored !== undefined && random.chance(0.5)) {
      changed.delete(restored)
      const [from = '', to = ''] = restored.split('-')
      return { do: 'peers', node: from, peer: to }
    }
    const name = random.pick(links)
    changed.add(name)
    const [from = '', to = ''] = name.split('-')
    return {
      do: 'peers',
      node: from,
      peer: to,
      change: random.pick(['removed', 'disabled', 'wrong-password']),
    }
  }
  const together = (): Operation => {
    const writes = Array.from({ length: random.int(2, 4) }, () =>
      random.pick([publish, publish, edit, comment])(),
    )
    const last = random.pick([fall, killStore, link, link])()
    return { do: 'together', operations: writes, last, afterMs: random.int(0, 120) }
  }
  const killStore = (): Operation => ({ do: 'kill-store', node: random.pick(up()) })

  const kinds: [number, () => Operation][] = [
    [18, publish],
    [22, edit],
    [8, comment],
    [5, openForm],
    [5, saveForm],
    [3, imports],
    [5, fall],
    [4, pause],
    [2, killStore],
    [2, fillDisk],
    [14, repair],
    [2, clock],
    [18, link],
    [5, peers],
    [6, together],
  ]
  const wheel = kinds.flatMap(([weight, kind]) => Array.from({ length: weight }, () => kind))
  return Array.from({ length: count }, () => random.pick(wheel)())
}

function slowness(random: Random): Slowness {
  return {
    delayMs: random.int(0, 150),
    jitterMs: random.int(0, 100),
    ...(random.chance(0.5) ? { bytesPerSecond: random.int(8, 200) * 1024 } : {}),
    ...(random.chance(0.5) ? { loss: random.int(1, 10) / 100 } : {}),
  }
}
