import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { runBounded } from './bounded.ts'
import type { CleanLimits } from './limits.ts'
import { unreadable } from './problems.ts'
import type { Qpdf } from './tools.ts'

const MIB = 1024 * 1024

export interface PdfJob {
  input: string
  output: string
  folder: string
  limits: CleanLimits
  signal?: AbortSignal | undefined
  /** Cleans the objects that qpdf has written down; it runs apart as well. */
  cleanObjects: (input: string, output: string) => Promise<void>
}

/**
 * Writes a PDF anew: qpdf takes it apart, {@link ./pdf-objects.ts} takes out what is not seen, and qpdf writes what is
 * still reachable. Text, links, outline, tags for screen readers and form fields stay.
 *
 * @throws HyperactiveError `media_unreadable` also for one that is damaged, cut off or protected by a password;
 *   `media_too_large`, `media_too_complex`
 */
export async function cleanPdf({ qpdf }: Qpdf, job: PdfJob): Promise<void> {
  const { input, output, folder, limits, signal } = job
  const bounds = {
    timeoutMs: limits.timeoutMs,
    memoryBytes: limits.memoryBytes,
    writtenBytes: (await stat(input)).size * 3 + 64 * MIB,
  }
  const run = async (args: string[]) => {
    const { code, complaint } = await runBounded(qpdf, args, { folder, bounds, signal })
    if (/invalid password/.test(complaint)) throw unreadable('it is protected by a password')
    // 3 is success with warnings; what had to be guessed is not taken.
    const isGuess = /file is damaged|reconstruct|can't find|expected endstream|recover/i.test(complaint)
    if (code !== 0 && (code !== 3 || isGuess)) throw unreadable('it is no whole PDF', new Error(complaint))
  }
  const plain = join(folder, 'plain.pdf')
  const taken = join(folder, 'objects.json')
  const cleaned = join(folder, 'clean.json')
  await run(['--decrypt', '--stream-data=preserve', '--object-streams=disable', input, plain])
  const streams = ['--json-stream-data=file', `--json-stream-prefix=${join(folder, 'stream')}`]
  await run(['--json-output', '--decode-level=none', ...streams, plain, taken])
  await job.cleanObjects(taken, cleaned)
  await run(['--json-input', '--object-streams=generate', '--deterministic-id', cleaned, output])
}
