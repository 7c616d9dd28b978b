import { setTimeout as pause } from 'node:timers/promises'
import { HyperactiveError, messageOf } from '../../errors.ts'
import type { FileBook } from './book.ts'

/** How often a node looks for requests, and a command for the answer. */
const LOOK_EVERY_MS = 250
/** A request that a command left behind when it was killed, or that was made while no node ran. */
const STALE_MS = 10_000

/** What a node does when a command asks for it; what it gives is JSON. */
export type Handlers = Readonly<Record<string, (given: unknown, signal: AbortSignal) => Promise<unknown>>>

type Answer = { ok: unknown } | { code: string; text: string; status: number }

/**
 * Commands ask the running node for what only it can do: it knows what waits in forms and has the lines to its peers. They
 * meet in the node's book of files.
 */
export async function askNode(
  book: FileBook,
  what: string,
  given: unknown,
  isRunning: () => Promise<boolean>,
): Promise<unknown> {
  const id = book.request(what, given, Date.now())
  try {
    for (;;) {
      const answer = book.answered(id) as Answer | undefined
      if (answer && 'ok' in answer) return answer.ok
      if (answer) throw new HyperactiveError(answer.code, answer.text, { status: answer.status })
      if (!(await isRunning())) {
        const text = 'the node has ended before it answered; ask again'
        throw new HyperactiveError('node_ended', text, { status: 503 })
      }
      book.stillWaiting(id, Date.now())
      await pause(LOOK_EVERY_MS)
    }
  } finally {
    book.withdraw(id)
  }
}

/** Answers requests one after the other, until the signal. */
export async function answerCommands(book: FileBook, handlers: Handlers, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const request = book.nextRequest()
    if (!request) {
      await pause(LOOK_EVERY_MS, undefined, { signal, ref: false }).catch(() => undefined)
      continue
    }
    book.answer(request.id, await answerTo(request, handlers, signal))
  }
}

async function answerTo(
  { what, given, atMs }: { what: string; given: unknown; atMs: number },
  handlers: Handlers,
  signal: AbortSignal,
): Promise<Answer> {
  const handler = handlers[what]
  try {
    if (Date.now() - atMs > STALE_MS || !handler)
      throw new HyperactiveError('request_stale', 'nobody waits for this any more', { status: 410 })
    return { ok: await handler(given, signal) }
  } catch (error) {
    const { code, status } = error instanceof HyperactiveError ? error : { code: 'unexpected', status: 500 }
    return { code, text: messageOf(error), status }
  }
}
