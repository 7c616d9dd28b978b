/**
 * A disk that does what disks do: it fails, and it loses in a power cut what was not synchronised. The calls of the system
 * are watched, or answered as such a disk answers them; what is tested is the program as it is.
 */
import {
  closeSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { open } from 'node:fs/promises'
import { join } from 'node:path'

interface Watch {
  /** Called before a file or folder is synchronised, and when it has been. What it throws is the disk's answer. */
  onSync?: ((fd: number, isDone: boolean) => void) | undefined
  /** Called before bytes are read. What it throws is the disk's answer. */
  onRead?: ((fd: number, position: number, length: number) => void) | undefined
}

export const watch: Watch = {}

const one = await open(import.meta.filename)
const handles = Object.getPrototypeOf(one) as FileHandle
await one.close()
const sync = Reflect.get(handles, 'sync')
const read = Reflect.get(handles, 'read')
handles.sync = async function (this: FileHandle) {
  watch.onSync?.(this.fd, false)
  await sync.call(this)
  watch.onSync?.(this.fd, true)
}
handles.read = async function (this: FileHandle, ...args: [Uint8Array, number, number, number]) {
  watch.onRead?.(this.fd, args[3], args[2])
  return read.apply(this, args as unknown as Parameters<typeof read>)
} as typeof read

/** What the system says of a disk that cannot. */
export function brokenDisk(syscall: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`EIO: i/o error, ${syscall}`), { code: 'EIO', errno: -5, syscall })
}

/** Which file or folder it is, by whichever name. */
export function inodeOf(path: string): number {
  return lstatSync(path).ino
}

type Entries = Map<string, { ino: number; isFolder: boolean }>

/** Of a name that was changed and not synchronised yet: whether the change has come to the disk. */
export type Luck = () => boolean

/** Remembers what has been synchronised of a folder, and gives it as it is after a power cut. */
export class Synchronised {
  readonly #folders = new Map<number, Entries>()
  readonly #files = new Map<number, Buffer>()
  /** They keep the system from using the number of a removed file for another. */
  readonly #kept: number[] = []

  /** The folder itself is there for good, empty. */
  constructor(folder: string) {
    this.#folders.set(inodeOf(folder), new Map())
  }

  took(fd: number): void {
    const path = `/proc/self/fd/${fd}`
    const found = fstatSync(fd)
    this.#kept.push(openSync(path, 'r'))
    if (found.isDirectory()) this.#folders.set(found.ino, entriesOf(path))
    else this.#files.set(found.ino, readFileSync(path))
  }

  /** Writes what is left of a folder into a new one. Bytes that were never synchronised are gone, whatever their names. */
  cut(folder: string, into: string, luck: Luck): void {
    mkdirSync(into)
    this.#rebuild({ from: folder, ino: inodeOf(folder) }, into, luck)
  }

  close(): void {
    for (const fd of this.#kept) closeSync(fd)
  }

  #rebuild({ from, ino }: { from: string; ino: number }, into: string, luck: Luck): void {
    const kept = this.#folders.get(ino) ?? (new Map() as Entries)
    const now = entriesOf(from)
    for (const name of new Set([...kept.keys(), ...now.keys()])) {
      const isChanged = kept.get(name)?.ino !== now.get(name)?.ino
      const entry = isChanged && !luck() ? kept.get(name) : now.get(name)
      if (!entry) continue
      const [source, target] = [join(from, name), join(into, name)]
      if (entry.isFolder) {
        mkdirSync(target)
        this.#rebuild({ from: source, ino: entry.ino }, target, luck)
      } else writeFileSync(target, this.#files.get(entry.ino) ?? '')
    }
  }
}

function entriesOf(folder: string): Entries {
  const entries: Entries = new Map()
  for (const name of namesIn(folder)) {
    const found = lstatSync(join(folder, name))
    entries.set(name, { ino: found.ino, isFolder: found.isDirectory() })
  }
  return entries
}

/** One that was removed meanwhile holds nothing. */
function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}
