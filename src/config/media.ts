import { isAbsolute } from 'node:path'
import { z } from 'zod'
import { bucketSettings } from './bucket.ts'
import { readSecret } from './secret-file.ts'

const folder = z.strictObject({
  kind: z.literal('folder'),
  folder: z
    .string()
    .refine((path) => isAbsolute(path) && !path.includes('\0'), 'must be an absolute path')
    .optional(),
})

const s3 = z.strictObject({ kind: z.literal('s3'), ...bucketSettings })

const couchdb = z.strictObject({ kind: z.literal('couchdb') })

/** Where files are kept. */
export const storeSettings = z.discriminatedUnion('kind', [folder, s3, couchdb]).prefault({ kind: 'folder' })

type Given = z.output<typeof storeSettings>

export type FolderStore = z.output<typeof folder>
export type S3Store = Omit<z.output<typeof s3>, 'accessKeyId' | 'secretAccessKey' | 'secretAccessKeyFile'>
export type CouchdbStore = z.output<typeof couchdb>
/** Where files are kept, without what must not be shown. */
export type MediaStore = FolderStore | S3Store | CouchdbStore

/** What must not be shown of it. */
export interface StoreSecrets {
  accessKeyId?: string
  secretAccessKey?: string
}

/**
 * Takes the secrets out of the settings, and reads the one that may be in a file of its own.
 *
 * @param fail gives the error for a setting, by its path and what is wrong with it
 */
export function partStore(
  given: Given,
  fail: (path: string, problem: string) => Error,
): { store: MediaStore; secrets: StoreSecrets } {
  if (given.kind !== 's3') return { store: given, secrets: {} }
  const { accessKeyId, secretAccessKey: typed, secretAccessKeyFile: file, ...store } = given
  if (typed !== undefined && file !== undefined)
    throw fail('media.store.secretAccessKey', 'is given twice, also as secretAccessKeyFile')
  const secretAccessKey =
    file === undefined
      ? typed
      : readSecret(file, (problem) => fail('media.store.secretAccessKeyFile', problem))
  if (accessKeyId === undefined || secretAccessKey === undefined)
    throw fail('media.store', 'needs accessKeyId and secretAccessKey (or secretAccessKeyFile)')
  return { store, secrets: { accessKeyId, secretAccessKey } }
}
