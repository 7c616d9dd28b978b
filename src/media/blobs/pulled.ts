import { Readable } from 'node:stream'

/**
 * A stream whose bytes are fetched when the reader wants them: nothing is read ahead.
 *
 * @param next gives bytes, or undefined at the end; never called before it has ended
 * @param close called once, when nothing is read any more
 */
export function pulled(
  next: (signal: AbortSignal) => Promise<Uint8Array | undefined>,
  close: () => Promise<void> = async () => undefined,
): Readable {
  const stop = new AbortController()
  return new Readable({
    highWaterMark: 0,
    read() {
      next(stop.signal).then(
        (bytes) => this.push(bytes ?? null),
        (error: unknown) => this.destroy(error as Error),
      )
    },
    destroy(error, done) {
      stop.abort()
      void end(close, error, done)
    },
  })
}

async function end(
  close: () => Promise<void>,
  error: Error | null,
  done: (error: Error | null) => void,
): Promise<void> {
  let problem = error
  try {
    await close()
  } catch (failure) {
    problem ??= failure as Error
  }
  done(problem)
}
