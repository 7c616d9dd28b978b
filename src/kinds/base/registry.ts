import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Kind } from './kind.ts'

const FOLDER = join(import.meta.dirname, '..')

/** Each file beside this folder is a kind and exports it under the name of the file. */
async function readKinds(): Promise<Map<string, Kind>> {
  const names = readdirSync(FOLDER, { withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => entry.name.slice(0, -'.ts'.length))
    .sort()
  const kinds = await Promise.all(
    names.map(async (name) => {
      const module = (await import(`../${name}.ts`)) as Record<string, Kind | undefined>
      const kind = module[name]
      if (kind?.name !== name) throw new Error(`src/kinds/${name}.ts does not export a kind "${name}"`)
      return kind
    }),
  )
  return new Map(kinds.map((kind) => [kind.name, kind]))
}

const KINDS = await readKinds()
const BY_PATH = new Map([...KINDS.values()].map((kind) => [kind.path, kind]))

/** The kind of this name, or undefined: items of kinds that this version does not know are stored, not shown. */
export function kindOf(name: string): Kind | undefined {
  return KINDS.get(name)
}

/** The kind whose items have addresses that begin with `/<path>/`. */
export function kindAt(path: string): Kind | undefined {
  return BY_PATH.get(path)
}

/** All kinds, by name. */
export function allKinds(): Kind[] {
  return [...KINDS.values()]
}
