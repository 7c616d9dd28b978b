/** Random values that follow from a seed alone, so that what happened can happen again. */
export class Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /** A number from 0 to below 1, by mulberry32 (Tommy Ettinger, public domain). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = this.#state
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }

  /** A whole number from `least` to `most`, both included. */
  int(least: number, most: number): number {
    return least + Math.floor(this.next() * (most - least + 1))
  }

  chance(share: number): boolean {
    return this.next() < share
  }

  /** @throws RangeError when there is nothing to pick from */
  pick<Value>(values: readonly Value[]): Value {
    const picked = values[Math.floor(this.next() * values.length)]
    if (picked === undefined) throw new RangeError('there is nothing to pick from')
    return picked
  }

  /** Some of the values, each at most once, in random order. */
  some<Value>(values: readonly Value[], count: number): Value[] {
    const left = [...values]
    return Array.from({ length: Math.min(count, left.length) }, () => {
      const [picked] = left.splice(Math.floor(this.next() * left.length), 1)
      return picked as Value
    })
  }
}

/** A seed that follows from a text (FNV-1a). */
export function seedOf(text: string): number {
  let hash = 0x811c9dc5
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193)
  return hash >>> 0
}
