/**
 * Something beside the store that has files in hand: uploads that wait for their form, what is being made of a file, what
 * is on its way from a peer.
 */
export interface FileHand {
  /** Whether a file is needed although no media document names it yet. */
  isWaiting?(sha256: string): boolean | Promise<boolean>
  /** Ends whatever is under way for an item that is being erased here, and removes what came of it and has no document. */
  leaveItem?(item: string): Promise<void>
  /**
   * Ends whatever is under way with a file that nobody is to have any more, and removes copies of its bytes outside of the
   * store. Once this resolves, nothing writes the file until a document names it again.
   */
  letGo?(sha256: string): Promise<void>
}

/** Several as one. */
export class Hands implements Required<FileHand> {
  readonly #hands: FileHand[]

  constructor(hands: readonly FileHand[] = []) {
    this.#hands = [...hands]
  }

  add(hand: FileHand): void {
    this.#hands.push(hand)
  }

  async isWaiting(sha256: string): Promise<boolean> {
    for (const hand of this.#hands) if ((await hand.isWaiting?.(sha256)) === true) return true
    return false
  }

  async leaveItem(item: string): Promise<void> {
    for (const hand of this.#hands) await hand.leaveItem?.(item)
  }

  async letGo(sha256: string): Promise<void> {
    for (const hand of this.#hands) await hand.letGo?.(sha256)
  }
}
