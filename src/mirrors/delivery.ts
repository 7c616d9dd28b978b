import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ProducedSite } from '../produce/produced-site.ts'
import type { Changes } from './changes.ts'
import {
  digitsFor,
  HEAD,
  headOf,
  partPath,
  prefixes,
  readHead,
  readPart,
  writeHead,
  writeParts,
} from './manifest.ts'
import { differenceOf, planChanges } from './plan.ts'
import type { Batch } from './plan.ts'
import type { MirrorRecord } from './record.ts'
import { unusable } from './targets/target.ts'
import type { Refusal, Target } from './targets/target.ts'

/** No site is without it. */
const FRONT_PAGE = 'index.html'

export interface DeliveryOptions {
  name: string
  site: ProducedSite
  target: Target
  record: MirrorRecord
  changes: Changes
  /** Waits for the target to be nobody else's, and holds it until disposed. */
  lock: () => Promise<Disposable>
  /** Has the site look at files again, where it does not follow their changes. */
  look?: (paths: readonly string[]) => Promise<void>
  signal: AbortSignal
}

/** Brings a target to the state of a site, step by step; each step leaves a record that the next process can go on from. */
export class Delivery {
  readonly #options: DeliveryOptions
  /** Files that were refused, by path, with the hash that they had then: another content is worth another try. */
  readonly #refused = new Map<string, { sha256: string; reason: string }>()

  constructor(options: DeliveryOptions) {
    this.#options = options
  }

  /** Files that are not at the target and will not be tried again as they are; and why, for one of them. */
  get refused(): { count: number; reason: string | undefined } {
    const [first] = this.#refused
    return { count: this.#refused.size, reason: first && `${first[0]}: ${first[1].reason}` }
  }

  /** Before anything is sent, and after every failure: makes sure that the target is the one that the record is about. */
  async begin(): Promise<void> {
    const { record, target, changes, site, lock, signal } = this.#options
    using _ = await lock()
    // Whatever was wrong with the target may have been why.
    this.#refused.clear()
    await inTemporaryFolder(async (folder) => {
      await target.take([HEAD], folder, signal)
      const head = await readHead(folder)
      const { id } = record.facts()
      if (id === undefined || head?.id !== id) {
        // Only what the manifest there names is taken for known; for the rest, everything is sent.
        record.forget(randomUUID())
        const digits = head?.digits ?? 0
        record.note({ digits, oldDigits: undefined })
        if (head) {
          const wanted = prefixes(digits)
          await target.take(
            wanted.map((prefix) => partPath(digits, prefix)),
            folder,
            signal,
          )
          for (const prefix of wanted) record.sent((await readPart(folder, digits, prefix)) ?? [])
          record.markStale(wanted)
        }
      }
    })
    changes.add(differenceOf(site.files, record.all()))
  }

  /**
   * Does what is most urgent, batch by batch, until something is told meanwhile; with nothing left to do it writes the
   * manifest. Between batches the target may be another process's.
   *
   * @returns whether anything may be left
   */
  async step(): Promise<boolean> {
    const { site, changes, lock } = this.#options
    // A site that is not there yet, or not any more, is no reason to take it off its mirrors.
    if (!site.files.has(FRONT_PAGE)) return false
    const calls = changes.calls
    for (const { remove, put } of this.#plan(changes.ordered(), calls)) {
      await this.#doInTurn([...remove, ...put.keys()], calls)
      if (changes.calls !== calls) return true
    }
    using _ = await lock()
    await this.#writeManifest()
    return changes.size > 0
  }

  /** What is to be done about files. What needs nothing is settled. */
  #plan(paths: readonly string[], calls: number): Batch[] {
    const { site, record, changes } = this.#options
    const plan = planChanges(
      paths,
      (path) => this.#wanted(path),
      (path) => record.get(path),
    )
    for (const [path, reason] of plan.refused)
      this.#refused.set(path, { sha256: site.files.get(path)?.sha256 ?? '', reason: `its name ${reason}` })
    for (const path of plan.settled) if (!site.files.has(path)) this.#refused.delete(path)
    changes.settle(plan.settled, calls)
    return plan.batches
  }

  /** Waits for its turn, and does what is to be done by then: another process may have sent some of it. */
  async #doInTurn(paths: readonly string[], calls: number): Promise<void> {
    const { site, changes, lock, look } = this.#options
    using _ = await lock()
    await look?.([FRONT_PAGE, ...paths])
    // What was told meanwhile goes first.
    if (changes.calls !== calls || !site.files.has(FRONT_PAGE)) return
    for (const batch of this.#plan(paths, calls)) await this.#do(batch, calls)
  }

  /** The file as it is in the site; one that was refused as it is now is left as the target has it. */
  #wanted(path: string) {
    const { site, record } = this.#options
    const file = site.files.get(path)
    return file !== undefined && this.#refused.get(path)?.sha256 === file.sha256 ? record.get(path) : file
  }

  async #do({ remove, put }: Batch, calls: number): Promise<void> {
    const { site, record, target, changes, signal } = this.#options
    if (remove.length > 0) {
      await target.remove(remove, signal)
      record.removed(remove)
      changes.settle(remove, calls)
      for (const path of remove) this.#refused.delete(path)
    }
    if (put.size === 0) return
    // One that was refused last time as well was taken off then.
    const mayBeThere = [...put.keys()].filter((path) => record.get(path) && !this.#refused.has(path))
    record.sending(put.keys())
    const refusals = await target.put(site.folder, put, signal)
    this.#noteRefusals(refusals, put)
    const refused = new Set(refusals.map(({ path }) => path))
    // What was told again meanwhile may have been sent in either version.
    record.sent([...put].filter(([path]) => !refused.has(path) && !changes.wasToldAfter(path, calls)))
    // What is there in another version may be what was hidden.
    const old = mayBeThere.filter((path) => refused.has(path))
    if (old.length > 0) {
      await target.remove(old, signal)
      record.removed(old)
    }
    changes.settle(put.keys(), calls)
  }

  #noteRefusals(refusals: readonly Refusal[], put: Batch['put']): void {
    for (const path of put.keys()) this.#refused.delete(path)
    for (const { path, reason } of refusals)
      this.#refused.set(path, { sha256: put.get(path)?.sha256 ?? '', reason })
  }

  /** Sends the parts of the manifest that are not true any more, and then its head. */
  async #writeManifest(): Promise<void> {
    const { record, target, signal } = this.#options
    const { id = '', digits: before = 0, oldDigits } = record.facts()
    const files = record.count()
    const digits = digitsFor(files, before)
    if (digits !== before) {
      record.markStale(prefixes(digits))
      record.note({ digits, oldDigits: oldDigits ?? before })
    }
    const stale = record.stale(digits)
    if (stale.length > 0) {
      await inTemporaryFolder(async (folder) => {
        const parts = await writeParts(record, digits, stale, folder)
        const head = await writeHead(headOf({ id, digits, files }), folder)
        // A head that leads to other parts than before follows them; any other may go with them.
        if (digits === before) return await this.#send(folder, new Map([...parts, ...head]))
        await this.#send(folder, parts)
        await this.#send(folder, head)
      })
      record.manifestWritten()
    }
    for (let old = record.facts().oldDigits; old !== undefined && old < digits; old += 1) {
      await target.remove(
        prefixes(old).map((prefix) => partPath(old ?? 0, prefix)),
        signal,
      )
      record.note({ oldDigits: old + 1 < digits ? old + 1 : undefined })
    }
  }

  async #send(folder: string, files: Batch['put']): Promise<void> {
    const [refusal] = await this.#options.target.put(folder, files, this.#options.signal)
    if (refusal) throw unusable(this.#options.name, `${refusal.path}: ${refusal.reason}`)
  }
}

/** Does something with a folder that is removed behind it. */
export async function inTemporaryFolder<Value>(act: (folder: string) => Promise<Value>): Promise<Value> {
  const folder = await mkdtemp(join(tmpdir(), 'hyperactive-mirror-'))
  try {
    return await act(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
