import { article } from './article.ts'
import type { Kind } from './kind.ts'

const KINDS: ReadonlyMap<string, Kind> = new Map([article].map((kind) => [kind.name, kind]))

/** The kind of this name, or undefined: items of kinds that this version does not know are stored, not shown. */
export function kindOf(name: string): Kind | undefined {
  return KINDS.get(name)
}
