import { mkdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { parentPort } from 'node:worker_threads'
import { messageOf } from '../errors.ts'
import type { FileAnswer, FileTask } from './file-writer.ts'

/** One thing after the other, and nothing waits for anything: that is the fastest for thousands of small files. */
parentPort?.on('message', ({ tasks, bytes }: { tasks: readonly FileTask[]; bytes: Uint8Array }) => {
  const answers = tasks.map((task) => done(task, bytes))
  parentPort?.postMessage(answers, [])
})

function done({ path, half, from, to }: FileTask, bytes: Uint8Array): FileAnswer {
  try {
    if (half === undefined) return { size: statSync(path, { throwIfNoEntry: false })?.size }
    write(half, bytes.subarray(from, to))
    renameSync(half, path)
    return {}
  } catch (error) {
    if (half !== undefined) forgive(() => rmSync(half, { force: true }))
    return { problem: messageOf(error) }
  }
}

function write(path: string, bytes: Uint8Array): void {
  try {
    writeFileSync(path, bytes)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, bytes)
  }
}

function forgive(work: () => void): void {
  try {
    work()
  } catch {
    // What is left lies where a half file may lie.
  }
}
