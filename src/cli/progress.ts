const BAR_WIDTH = 30

/** Draws how far something is, when standard error is a terminal. */
export interface ProgressBar {
  /** Draws the bar anew. */
  show(done: number, total: number, what: string): void
  /** Leaves the line of the bar. */
  end(): void
}

/** A bar on standard error; where that is no terminal, nothing is drawn. */
export function progressBar(): ProgressBar {
  const terminal = process.stderr
  let drawn = false
  return {
    show(done, total, what) {
      if (!terminal.isTTY) return
      const filled = total === 0 ? BAR_WIDTH : Math.min(Math.round((done / total) * BAR_WIDTH), BAR_WIDTH)
      terminal.write(
        `\r[${'█'.repeat(filled)}${' '.repeat(BAR_WIDTH - filled)}] ${done}/${total} ${what}\u001b[K`,
      )
      drawn = true
    },
    end() {
      if (drawn) terminal.write('\n')
      drawn = false
    },
  }
}
