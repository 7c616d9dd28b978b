import { Router } from '@koa/router'
import type { MatchResult } from '@koa/router'

type Layers = MatchResult['path']

/** The first part of a path, where it is the same in every address that the path stands for. */
const FIRST = /^\/([a-z0-9._-]*)(?:\/|$)/

/**
 * A router that looks only at the routes that begin as an address does: there are two hundred, and each would be tried
 * for every request. Everything else is as in the router that it extends.
 */
export class PageRouter extends Router {
  readonly #known = new Map<string, Layers>()
  #routes = 0

  override match(path: string, method: string): MatchResult {
    const found: MatchResult = { path: [], pathAndMethod: [], route: false }
    const named = method.toUpperCase()
    for (const layer of this.#layersFor(path)) {
      if (!layer.match(path)) continue
      found.path.push(layer)
      const { methods } = layer
      if (methods.length > 0 && !methods.includes(named)) continue
      found.pathAndMethod.push(layer)
      if (methods.length > 0) found.route = true
    }
    return found
  }

  #layersFor(path: string): Layers {
    if (this.#routes !== this.stack.length) this.#sort()
    const end = path.indexOf('/', 1)
    return this.#known.get(path.slice(1, end === -1 ? undefined : end)) ?? this.#known.get('*') ?? []
  }

  /** By the first part of the address: its own routes and those that any address may be one of, in their order. */
  #sort(): void {
    this.#routes = this.stack.length
    this.#known.clear()
    const firsts = this.stack.map(({ path }) => FIRST.exec(String(path))?.[1] ?? '*')
    for (const first of ['*', ...firsts])
      this.#known.set(
        first,
        this.stack.filter((_, index) => firsts[index] === '*' || firsts[index] === first),
      )
  }
}
