import { z } from 'zod'

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

function hasMore(text: string): boolean {
  const { username, password, search, hash } = new URL(text)
  return username !== '' || password !== '' || search !== '' || hash !== ''
}
