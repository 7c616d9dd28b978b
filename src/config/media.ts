import { z } from 'zod'
import { absolutePath } from './absolute-path.ts'
import { bucketSettings, partKeys } from './bucket.ts'
import type { Fail } from './secret-file.ts'

const folder = z.strictObject({ kind: z.literal('folder'), folder: absolutePath.optional() })

const s3 = z.strictObject({ kind: z.literal('s3'), ...bucketSettings })

const couchdb = z.strictObject({ kind: z.literal('couchdb') })

/** Where files are kept. */
export const storeSettings = z.discriminatedUnion('kind', [folder, s3, couchdb]).prefault({ kind: 'folder' })

const GIB = 1024 ** 3
const MIB = 1024 ** 2
const program = absolutePath.optional()

/** Pictures, sound, film and other files. `docs/media.md` explains each. */
export const mediaSettings = z
  .strictObject({
    store: storeSettings,
    /** What an upload may be, and how much may wait for its form. */
    uploads: z
      .strictObject({
        fileBytes: z
          .int()
          .min(1)
          .max(16 * GIB)
          .default(4 * GIB),
        waitingBytes: z
          .int()
          .min(1)
          .default(20 * GIB),
        hours: z.int().min(1).max(168).default(24),
      })
      .prefault({}),
    /** Which files this node keeps: all, those of the last so many days, up to so many bytes, or none unless asked. */
    keep: z
      .union([
        z.enum(['all', 'none']),
        z.strictObject({ days: z.int().min(1).max(36_500) }),
        z.strictObject({ bytes: z.int().min(1) }),
      ])
      .default('all'),
    /** On how many nodes each file is to be, and under how many laws; the same on all nodes of a network. */
    copies: z.int().min(1).max(20).default(2),
    jurisdictions: z.int().min(1).max(20).default(1),
    /** Under whose law this node stands, such as "IS"; told to the other nodes. */
    jurisdiction: z
      .string()
      .regex(/^[\p{L}\p{N}][\p{L}\p{N} .-]{0,39}$/u, 'must be up to 40 letters or digits')
      .optional(),
    /** At most so many bytes a second are sent to each peer, and fetched from it; 0 for any number. */
    peerBytesPerSecond: z.int().min(0).default(0),
    /** How fast files are read again to see whether they are still what they were. */
    scrubBytesPerSecond: z
      .int()
      .min(1024)
      .default(4 * MIB),
    /** Whether this node makes smaller pictures, and sound and film that every browser plays. */
    derive: z
      .strictObject({
        on: z.boolean().default(true),
        atOnce: z.int().min(1).max(16).default(1),
        hours: z.int().min(1).max(48).default(6),
      })
      .prefault({}),
    tools: z.strictObject({ ffmpeg: program, ffprobe: program, qpdf: program }).prefault({}),
  })
  .prefault({})

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

/** Takes the secrets out of the settings, and reads the one that may be in a file of its own. */
export function partStore(given: Given, fail: Fail): { store: MediaStore; secrets: StoreSecrets } {
  if (given.kind !== 's3') return { store: given, secrets: {} }
  const { rest: store, keys: secrets } = partKeys('media.store', given, fail)
  return { store, secrets }
}
