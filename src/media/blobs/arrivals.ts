import { createHash } from 'node:crypto'
import type { Hash } from 'node:crypto'
import type { BlobManifest } from './blob.ts'

const MOST = 256

/** What is known in memory of a blob whose pieces are coming. */
export interface Arrival {
  readonly manifest: BlobManifest
  /** The digest of the pieces before `next`, so that the whole need not be read again when they come in order. */
  hash: Hash
  next: number
  /** Which pieces are here, as far as is known. */
  held: Set<number> | undefined
}

/** Blobs whose pieces are coming. The least recently used are forgotten first: nothing depends on one being known. */
export class Arrivals {
  readonly #arrivals = new Map<string, Arrival>()

  of(manifest: BlobManifest): Arrival {
    const key = keyOf(manifest)
    const arrival = this.#arrivals.get(key) ?? {
      manifest,
      hash: createHash('sha256'),
      next: 0,
      held: undefined,
    }
    this.#arrivals.delete(key)
    this.#arrivals.set(key, arrival)
    const [oldest] = this.#arrivals.keys()
    if (this.#arrivals.size > MOST && oldest !== undefined) this.#arrivals.delete(oldest)
    return arrival
  }

  /** To be told of each piece that is kept and is what the manifest says. */
  add(manifest: BlobManifest, index: number, bytes: Uint8Array): Arrival {
    const arrival = this.of(manifest)
    arrival.held?.add(index)
    if (arrival.next === index) {
      arrival.hash.update(bytes)
      arrival.next += 1
    }
    return arrival
  }

  /** Gives what is known of one, and forgets it. */
  take(manifest: BlobManifest): Arrival {
    const arrival = this.of(manifest)
    this.#arrivals.delete(keyOf(manifest))
    return arrival
  }

  /** The manifests of all that go by a name. */
  named(sha256: string): BlobManifest[] {
    return [...this.#arrivals.values()]
      .map(({ manifest }) => manifest)
      .filter((manifest) => manifest.sha256 === sha256)
  }

  /** Forgets all that go by a name. */
  forget(sha256: string): void {
    for (const manifest of this.named(sha256)) this.#arrivals.delete(keyOf(manifest))
  }
}

const marks = new WeakMap<BlobManifest, string>()

/** A short name of a manifest among those that claim to describe the same blob: at most one of them is right. */
export function markOf(manifest: BlobManifest): string {
  const { bytes, pieces } = manifest
  const known = marks.get(manifest)
  if (known !== undefined) return known
  const mark = createHash('sha256').update(`${bytes} ${pieces.join()}`).digest('hex').slice(0, 32)
  // That of a large file takes longer than the piece at hand.
  marks.set(manifest, mark)
  return mark
}

function keyOf(manifest: BlobManifest): string {
  return `${manifest.sha256}-${markOf(manifest)}`
}
