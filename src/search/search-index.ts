export interface IndexMark {
  source: string
  seq: string | number
}
export interface IndexEntry {
  id: string
  item: string
  kind: string
  at: string
  updatedAt: string
  language: string
  title: string
  summary: string
  body: string
  author?: string
  tags: string[]
  places: string[]
  group?: string
  counts: [vocabulary: string, name: string][]
}
export interface IndexChanges {
  put: IndexEntry[]
  remove: string[]
}
export interface Count {
  name: string
  count: number
}
/** Stand-in until the search module is merged. */
export class SearchIndex {
  #mark: IndexMark | undefined
  readonly #entries = new Map<string, IndexEntry>()
  mark(): IndexMark | undefined {
    return this.#mark
  }
  apply({ put, remove }: IndexChanges, mark: IndexMark): void {
    for (const entry of put) this.#entries.set(entry.id, entry)
    for (const id of remove) this.#entries.delete(id)
    this.#mark = mark
  }
  clear(): void {
    this.#entries.clear()
  }
  counts(vocabulary: string, names: readonly string[]): Map<string, number> {
    const all = new Map(this.#all(vocabulary).map(({ name, count }) => [name, count]))
    return new Map(names.flatMap((name) => (all.has(name) ? [[name, all.get(name) ?? 0] as const] : [])))
  }
  top(vocabulary: string, limit: number): Count[] {
    return this.#all(vocabulary)
      .sort((a, b) => b.count - a.count)
      .slice(0, limit)
  }
  names(vocabulary: string, { limit }: { limit: number }): Count[] {
    return this.#all(vocabulary).slice(0, limit)
  }
  latest(vocabulary: string, limit: number): Count[] {
    return this.#all(vocabulary).slice(0, limit)
  }
  #all(vocabulary: string): Count[] {
    const found = new Map<string, number>()
    for (const { counts } of this.#entries.values())
      for (const [v, name] of counts) if (v === vocabulary) found.set(name, (found.get(name) ?? 0) + 1)
    return [...found].map(([name, count]) => ({ name, count }))
  }
}
