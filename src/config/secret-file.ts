import { readFileSync } from 'node:fs'
import { messageOf } from '../errors.ts'

/**
 * A secret that has a file of its own.
 *
 * @param fail gives the error for what is wrong
 */
export function readSecret(file: string, fail: (problem: string) => Error): string {
  let text: string
  try {
    text = readFileSync(file, 'utf8').trim()
  } catch (error) {
    throw fail(`${file} cannot be read: ${messageOf(error)}`)
  }
  if (text === '' || text.length > 1000) throw fail(`${file} holds no secret of at most 1000 characters`)
  return text
}
