import { z } from 'zod'
import { secretOf } from './secret-file.ts'
import type { Fail } from './secret-file.ts'

/** An http or https address, without anything that is a secret or means more. */
export const plainAddress = z
  .url({ protocol: /^https?$/, error: 'is not an http or https address' })
  .refine((text) => !hasMore(text), 'must be an address alone; name and password are settings of their own')
  .transform((text) => text.replace(/\/+$/, ''))

export const secretText = z.string().min(1).max(1000)

/** Settings of a bucket of S3, with its keys. */
export const bucketSettings = {
  endpoint: plainAddress,
  bucket: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{1,62}$/, 'is not the name of a bucket'),
  prefix: z
    .string()
    .regex(
      /^([A-Za-z0-9_-][A-Za-z0-9._-]*\/)*$/,
      'must be empty or folders such as "site/", with a slash behind',
    )
    .default(''),
  region: z
    .string()
    .regex(/^[a-z0-9-]{1,40}$/, 'is not the name of a region')
    .optional(),
  style: z.enum(['path', 'host']).default('path'),
  accessKeyId: secretText.optional(),
  secretAccessKey: secretText.optional(),
  secretAccessKeyFile: z.string().optional(),
}

interface GivenKeys {
  accessKeyId?: string | undefined
  secretAccessKey?: string | undefined
  secretAccessKeyFile?: string | undefined
}

/**
 * Takes a bucket's keys out of its settings.
 *
 * @param path of the bucket's settings
 */
export function partKeys<Given extends GivenKeys>(
  path: string,
  given: Given,
  fail: Fail,
): { rest: Omit<Given, keyof GivenKeys>; keys: { accessKeyId: string; secretAccessKey: string } } {
  const { accessKeyId, secretAccessKey: text, secretAccessKeyFile: file, ...rest } = given
  const secretAccessKey = secretOf(`${path}.secretAccessKey`, { text, file }, fail)
  if (accessKeyId === undefined || secretAccessKey === undefined)
    throw fail(path, 'needs accessKeyId and secretAccessKey (or secretAccessKeyFile)')
  return { rest, keys: { accessKeyId, secretAccessKey } }
}

function hasMore(text: string): boolean {
  const { username, password, search, hash } = new URL(text)
  return username !== '' || password !== '' || search !== '' || hash !== ''
}
