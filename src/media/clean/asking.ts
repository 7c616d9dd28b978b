import { HyperactiveError, messageOf } from '../../errors.ts'
import { runBounded } from './bounded.ts'
import type { BoundedOptions } from './bounded.ts'
import { tooComplex, unreadable } from './problems.ts'

const MIB = 1024 * 1024
const HEAP_MB = 384
/** Node itself takes this much of its bound before it does anything: room for compiled code, which it leaves empty. */
const NODE_RESERVES_BYTES = 640 * MIB

/** How a child says that it could not do what it was asked for. */
interface Refusal {
  code: string
  message: string
  status: number
  reason?: string
}

/**
 * Has a script of ours read what a stranger sent, in a Node process with bounds.
 *
 * @param script an absolute path; it answers with {@link answerParent}
 * @param options.bounds `memoryBytes` without what Node takes for itself
 * @throws HyperactiveError what the script failed with, or `media_too_complex`
 */
export async function askChild<Answer extends object>(
  script: string,
  job: object,
  { bounds, ...options }: Omit<BoundedOptions, 'environment'>,
): Promise<Answer> {
  const flags = [`--max-old-space-size=${HEAP_MB}`, '--disable-warning=ExperimentalWarning']
  const { code, output, complaint } = await runBounded(
    process.execPath,
    [...flags, script, JSON.stringify(job)],
    {
      ...options,
      bounds: { ...bounds, memoryBytes: bounds.memoryBytes + NODE_RESERVES_BYTES },
      environment: { UV_THREADPOOL_SIZE: '2' },
    },
  )
  if (code !== 0) throw tooComplex('the program that reads it ended early', new Error(complaint))
  const answer = JSON.parse(output) as Answer | Refusal
  if (!('code' in answer)) return answer
  const { message, status, reason } = answer
  throw new HyperactiveError(answer.code, message, {
    status,
    ...(reason !== undefined && { cause: new Error(reason) }),
  })
}

/** In the child: does what it was asked for, and says what came of it on its standard output. */
export async function answerParent(act: (job: unknown) => Promise<object>): Promise<void> {
  const job: unknown = JSON.parse(process.argv[2] ?? '')
  const answer = await act(job).catch(refusal)
  process.stdout.write(JSON.stringify(answer))
}

function refusal(error: unknown): Refusal {
  if (error instanceof HyperactiveError) {
    const { code, message, status, cause } = error
    return { code, message, status, ...(cause !== undefined && { reason: messageOf(cause) }) }
  }
  // What a library says stays in the log: it names places on this computer.
  const problem =
    error instanceof RangeError
      ? tooComplex('it takes too much memory')
      : unreadable('it cannot be read to the end')
  const { code, message, status } = problem
  return { code, message, status, reason: messageOf(error) }
}
