import { openAsBlob } from 'node:fs'
import type { Blob } from 'node:buffer'
import { join } from 'node:path'
import type { ProducedFile } from '../../produce/produced-site.ts'
import { AT_ONCE } from './http.ts'
import { eachOf } from './target.ts'
import type { Refusal } from './target.ts'

/**
 * Sends files as bodies of requests, some at once. A file that is not there or of another size by now is left out.
 *
 * @param send sends one; gives the reason if that one is refused for good
 */
export async function sendFiles(
  from: string,
  files: ReadonlyMap<string, ProducedFile>,
  send: (path: string, body: Blob, file: ProducedFile) => Promise<string | undefined>,
): Promise<Refusal[]> {
  const refused: Refusal[] = []
  await eachOf(files, AT_ONCE, async ([path, file]) => {
    try {
      const body = await openAsBlob(join(from, path))
      const reason = body.size === file.bytes ? await send(path, body, file) : undefined
      if (reason !== undefined) refused.push({ path, reason })
    } catch (error) {
      if (!hasChanged(error)) throw error
    }
  })
  return refused
}

function hasChanged(error: unknown): boolean {
  const { name, code } = error as NodeJS.ErrnoException
  return name === 'NotReadableError' || code === 'ENOENT' || code === 'ERR_INVALID_ARG_VALUE'
}
