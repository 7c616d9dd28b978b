import { z } from 'zod'
import { absolutePath } from './absolute-path.ts'
import { bucketSettings, partKeys, plainAddress, secretText } from './bucket.ts'
import { secretOf } from './secret-file.ts'
import type { Fail } from './secret-file.ts'

/** No quote, space or sign that a shell, ssh or rsync could take for more than a letter, and no option. */
const PLAIN_PATH = /^[A-Za-z0-9._/][A-Za-z0-9._/+@-]*$/

const plainPath = z
  .string()
  .regex(PLAIN_PATH, 'must be a path of letters, digits and ._/+@-, not begun by "-"')

const name = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,39}$/, 'must be up to 40 of a-z, 0-9 and "-", a letter or digit first')

const folder = z.strictObject({ name, kind: z.literal('folder'), folder: absolutePath })

const rsync = z.strictObject({
  name,
  kind: z.literal('rsync'),
  host: z
    .string()
    .regex(/^([A-Za-z0-9][A-Za-z0-9.-]{0,252}|\[[0-9a-fA-F:.]+\])$/, 'is not the name of a host'),
  user: z
    .string()
    .regex(/^[A-Za-z_][A-Za-z0-9_.-]{0,63}$/, 'is not the name of a user')
    .optional(),
  port: z.int().min(1).max(65_535).default(22),
  folder: plainPath,
  keyFile: plainPath.optional(),
  knownHosts: plainPath.optional(),
})

const s3 = z.strictObject({
  name,
  kind: z.literal('s3'),
  ...bucketSettings,
  acl: z.enum(['private', 'public-read']).optional(),
})

const webdav = z.strictObject({
  name,
  kind: z.literal('webdav'),
  url: plainAddress,
  mkcol: z.boolean().default(true),
  username: z
    .string()
    .regex(/^[^:\p{Cc}]{1,200}$/u, 'must not hold a colon')
    .optional(),
  password: secretText.optional(),
  passwordFile: z.string().optional(),
})

/** The folders and servers that a node copies its produced site to. `docs/mirrors.md` explains each kind. */
export const mirrorSettings = z
  .array(z.discriminatedUnion('kind', [folder, rsync, s3, webdav]))
  .max(50)
  .refine(
    (mirrors) => new Set(mirrors.map((mirror) => mirror.name)).size === mirrors.length,
    'each needs a name of its own',
  )
  .default([])

type Given = z.output<typeof mirrorSettings>[number]

export type FolderMirror = z.output<typeof folder>
export type RsyncMirror = z.output<typeof rsync>
export type S3Mirror = Omit<z.output<typeof s3>, 'accessKeyId' | 'secretAccessKey' | 'secretAccessKeyFile'>
export type WebdavMirror = Omit<z.output<typeof webdav>, 'password' | 'passwordFile'>

/** A mirror's settings, without what must not be shown. */
export type Mirror = FolderMirror | RsyncMirror | S3Mirror | WebdavMirror

/** What must not be shown of a mirror's settings. */
export interface MirrorSecrets {
  accessKeyId?: string
  secretAccessKey?: string
  password?: string
}

/** Takes the secrets out of mirrors' settings, and reads those that are in files of their own. */
export function partMirrors(
  given: readonly Given[],
  fail: Fail,
): { mirrors: Mirror[]; secrets: Record<string, MirrorSecrets> } {
  const mirrors: Mirror[] = []
  const secrets: Record<string, MirrorSecrets> = {}
  for (const [index, mirror] of given.entries()) {
    const path = `mirrors.${index}`
    if (mirror.kind === 's3') {
      const { rest, keys } = partKeys(path, mirror, fail)
      mirrors.push(rest)
      secrets[mirror.name] = keys
    } else if (mirror.kind === 'webdav') {
      const { password: text, passwordFile: file, ...rest } = mirror
      const password = secretOf(`${path}.password`, { text, file }, fail)
      if ((password === undefined) !== (mirror.username === undefined))
        throw fail(path, 'needs both username and password (or passwordFile), or neither')
      mirrors.push(rest)
      if (password !== undefined) secrets[mirror.name] = { password }
    } else {
      mirrors.push(mirror)
    }
  }
  return { mirrors, secrets }
}
