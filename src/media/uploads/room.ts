import { noRoom, tooManyAtOnce } from './problems.ts'

/** Files that are received at once; a program that opens thousands keeps others out for no longer than it sends. */
export const MOST_AT_ONCE = 16

/** Bounds what uploads take up together on the disk, and how many are received at once. */
export class Room {
  readonly #mostBytes: number
  readonly #held = new Map<string, number>()
  #bytes = 0
  #receiving = 0

  /** @param mostBytes of everything that is received, worked on or waits for its form */
  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes
  }

  /** What all of them take up. */
  get bytes(): number {
    return this.#bytes
  }

  /**
   * Counts more bytes of an upload.
   *
   * @throws HyperactiveError `upload_no_room`
   */
  add(id: string, bytes: number): void {
    if (this.#bytes + bytes > this.#mostBytes) throw noRoom()
    this.set(id, (this.#held.get(id) ?? 0) + bytes)
  }

  /** Says what an upload takes up, be there room for it or not. */
  set(id: string, bytes: number): void {
    this.#bytes += bytes - (this.#held.get(id) ?? 0)
    if (bytes === 0) this.#held.delete(id)
    else this.#held.set(id, bytes)
  }

  free(id: string): void {
    this.set(id, 0)
  }

  /**
   * Takes a place among those that are received at once; disposing gives it back.
   *
   * @throws HyperactiveError `upload_busy`
   */
  enter(): Disposable {
    if (this.#receiving >= MOST_AT_ONCE) throw tooManyAtOnce()
    this.#receiving += 1
    let isIn = true
    return {
      [Symbol.dispose]: () => {
        if (isIn) this.#receiving -= 1
        isIn = false
      },
    }
  }
}
