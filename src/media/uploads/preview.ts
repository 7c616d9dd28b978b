import { mkdtemp, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf } from '../../errors.ts'
import { logger } from '../../log.ts'
import { runBounded } from '../clean/bounded.ts'

const log = logger('media')
const MIB = 1024 * 1024

/** Types of cleaned files that have a small picture in their form. */
const PICTURES = new Set(['image/jpeg', 'image/png', 'image/webp', 'image/avif', 'image/gif'])

/**
 * Makes the small picture that a form shows of a picture which was taken, in a process of its own. A form is as good
 * without it, so where it cannot be made there is none.
 *
 * @param to where it comes to stand, a JPEG
 */
export async function makePreview(
  { path, type }: { path: string; type: string },
  to: string,
  { folder, signal }: { folder: string; signal: AbortSignal },
): Promise<void> {
  if (!PICTURES.has(type)) return
  const work = await mkdtemp(join(folder, 'preview-'))
  try {
    const made = join(work, 'preview.jpg')
    const script = join(import.meta.dirname, 'preview-child.ts')
    const args = ['--max-old-space-size=256', '--disable-warning=ExperimentalWarning', script, path, made]
    const { code } = await runBounded(process.execPath, args, {
      folder: work,
      signal,
      // Node reserves 640 MiB before it does anything.
      bounds: { timeoutMs: 30_000, memoryBytes: 1400 * MIB, writtenBytes: 64 * MIB },
      environment: { UV_THREADPOOL_SIZE: '2' },
    })
    if (code === 0 && (await stat(made)).size > 0) await rename(made, to)
  } catch (error) {
    if (!signal.aborted) log.debug('there is no preview', { reason: messageOf(error) })
  } finally {
    await rm(work, { recursive: true, force: true, maxRetries: 3 })
  }
}
