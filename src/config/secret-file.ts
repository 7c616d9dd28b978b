import { readFileSync } from 'node:fs'
import { messageOf } from '../errors.ts'

/** Gives the error for a setting, by its path and what is wrong with it. */
export type Fail = (path: string, problem: string) => Error

/**
 * A secret that stands in the settings, or in a file of its own that another setting, `…File`, names.
 *
 * @param setting its path
 */
export function secretOf(
  setting: string,
  { text, file }: { text: string | undefined; file: string | undefined },
  fail: Fail,
): string | undefined {
  if (file === undefined) return text
  const name = setting.slice(setting.lastIndexOf('.') + 1)
  if (text !== undefined) throw fail(setting, `is given twice, also as ${name}File`)
  return readSecret(file, (problem) => fail(`${setting}File`, problem))
}

function readSecret(file: string, fail: (problem: string) => Error): string {
  let text: string
  try {
    text = readFileSync(file, 'utf8').trim()
  } catch (error) {
    throw fail(`${file} cannot be read: ${messageOf(error)}`)
  }
  if (text === '' || text.length > 1000) throw fail(`${file} holds no secret of at most 1000 characters`)
  return text
}
