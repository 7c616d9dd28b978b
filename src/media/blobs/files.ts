import { constants } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { mkdir, open, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Files of blobs are the node's own. */
export const FILE_MODE = 0o600
export const FOLDER_MODE = 0o700

/** Opens a file to read; undefined when it is not there, or is no file. A link is not followed. */
export async function openFile(path: string): Promise<FileHandle | undefined> {
  let handle: FileHandle
  try {
    // Whoever opens a pipe without waiting does not hang on it.
    handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch (error) {
    if (isAbsent(error) || (error as NodeJS.ErrnoException).code === 'ELOOP') return undefined
    throw error
  }
  let isFile = false
  try {
    isFile = (await handle.stat()).isFile()
  } finally {
    if (!isFile) await handle.close()
  }
  return isFile ? handle : undefined
}

/** Writes all of it: one call of the system may take less. */
export async function writeAll(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, position + done)
    done += bytesWritten
  }
}

/** Fills the bytes from a file; gives how many there were. */
export async function readAll(handle: FileHandle, bytes: Uint8Array, position: number): Promise<number> {
  let done = 0
  while (done < bytes.length) {
    const { bytesRead } = await handle.read(bytes, done, bytes.length - done, position + done)
    if (bytesRead === 0) break
    done += bytesRead
  }
  return done
}

/** Makes a folder and those above it; each is there for good when this ends. */
export async function makeFolder(path: string): Promise<void> {
  const isThere = await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  )
  if (isThere) return
  const first = await mkdir(path, { recursive: true, mode: FOLDER_MODE })
  if (first === undefined) return
  for (let made = path; made.length >= first.length; made = dirname(made)) await syncFolder(dirname(made))
}

/** What was renamed in it, or removed from it, stays so after a power cut. */
export async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Removes a file; gives whether there was one. */
export async function removeFile(path: string): Promise<boolean> {
  return (await unlessAbsent(rm(path).then(() => true))) ?? false
}

/** Undefined when the file is not there. */
export async function unlessAbsent<Result>(acting: Promise<Result>): Promise<Result | undefined> {
  try {
    return await acting
  } catch (error) {
    if (isAbsent(error)) return undefined
    throw error
  }
}

/** The file, or a folder above it, is not there. */
export function isAbsent(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException
  return code === 'ENOENT' || code === 'ENOTDIR'
}
