import { AwsV4Signer } from 'aws4fetch'
import { XMLParser } from 'fast-xml-parser'
import { z } from 'zod'

/** SHA-256 of nothing. */
const NOTHING = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'

/** Where a bucket is, and how it is asked. */
export interface BucketSettings {
  endpoint: string
  bucket: string
  region?: string | undefined
  /** Whether the bucket's name is in the path of an address, or in front of its host. */
  style: 'path' | 'host'
}

export interface BucketKeys {
  accessKeyId?: string | undefined
  secretAccessKey?: string | undefined
}

/** A page of a list of objects. */
export interface BucketPage {
  objects: { key: string; etag: string; bytes: number }[]
  /** What the next page is asked for with; undefined at the end. */
  next: string | undefined
}

/** A bucket of S3 or of what speaks like it: addresses, signatures, lists. Asking is left to others. */
export class Bucket {
  readonly #settings: BucketSettings
  readonly #keys: BucketKeys
  readonly #base: string

  constructor(settings: BucketSettings, keys: BucketKeys) {
    this.#settings = settings
    this.#keys = keys
    const endpoint = new URL(settings.endpoint)
    if (settings.style === 'host') endpoint.hostname = `${settings.bucket}.${endpoint.hostname}`
    const bucket = settings.style === 'host' ? '' : `/${settings.bucket}`
    this.#base = `${endpoint.href.replace(/\/+$/, '')}${bucket}/`
  }

  /** Of an object. */
  address(key: string): string {
    return this.#base + key.split('/').map(encodeURIComponent).join('/')
  }

  /** Of a page of the list of objects. */
  listAddress(query: { prefix: string; after?: string | undefined; token?: string | undefined }): string {
    const parameters = new URLSearchParams({ 'list-type': '2', 'max-keys': '1000', prefix: query.prefix })
    if (query.after !== undefined) parameters.set('start-after', query.after)
    if (query.token !== undefined) parameters.set('continuation-token', query.token)
    return `${this.#base}?${parameters.toString().replaceAll('+', '%20')}`
  }

  /** A page as the server told it; undefined for what is no list, or one that nobody can go on from. */
  readPage(text: string): BucketPage | undefined {
    const parsed = listing.safeParse(parse(text))
    if (!parsed.success) return undefined
    const { Contents, IsTruncated, NextContinuationToken } = parsed.data.ListBucketResult
    if (IsTruncated === 'true' && !NextContinuationToken) return undefined
    return {
      objects: Contents.map(({ Key, ETag = '', Size }) => ({
        key: Key,
        etag: ETag.replaceAll('"', ''),
        bytes: Number(Size),
      })),
      next: IsTruncated === 'true' ? NextContinuationToken : undefined,
    }
  }

  /**
   * Headers of a request, by AWS's Signature Version 4; without a region the one that the address names. A body is
   * signed for by its digest in `x-amz-content-sha256`.
   */
  async sign(
    url: string,
    method: 'GET' | 'PUT' | 'DELETE',
    headers: Record<string, string> = {},
  ): Promise<Record<string, string>> {
    const { accessKeyId = '', secretAccessKey = '' } = this.#keys
    const { region } = this.#settings
    const signer = new AwsV4Signer({
      url,
      method,
      headers: { 'x-amz-content-sha256': NOTHING, ...headers },
      accessKeyId,
      secretAccessKey,
      service: 's3',
      ...(region === undefined ? {} : { region }),
    })
    return Object.fromEntries((await signer.sign()).headers)
  }
}

const listing = z.object({
  ListBucketResult: z.object({
    Contents: z
      .array(z.object({ Key: z.string(), ETag: z.string().optional(), Size: z.string() }))
      .default([]),
    IsTruncated: z.string().optional(),
    NextContinuationToken: z.string().optional(),
  }),
})

function parse(text: string): unknown {
  try {
    return parser.parse(text)
  } catch {
    return undefined
  }
}

const parser = new XMLParser({
  ignoreAttributes: true,
  parseTagValue: false,
  // This is what takes numeric references.
  htmlEntities: true,
  trimValues: false,
  isArray: (name) => name === 'Contents',
})
