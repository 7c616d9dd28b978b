import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Readable } from 'node:stream'
import { DataStore, ERRORS, Server, Upload } from '@tus/server'
import { HyperactiveError } from '../../errors.ts'
import { goneUpload } from './problems.ts'
import { isUploadId } from './uploads.ts'
import type { Uploads } from './uploads.ts'

/** Where the protocol speaks; an upload has an address below it. */
export const UPLOADS_PATH = '/uploads'

/** What is asked of the store by a library that knows nothing of forms. */
class WaitingStore extends DataStore {
  readonly #uploads: Uploads

  constructor(uploads: Uploads) {
    super()
    this.#uploads = uploads
    this.extensions = ['creation', 'creation-with-upload', 'termination']
  }

  /** It has begun when the protocol hears of it: see {@link Resumable.begin}. */
  override create(upload: Upload): Promise<Upload> {
    return Promise.resolve(upload)
  }

  override async getUpload(id: string): Promise<Upload> {
    const progress = isUploadId(id) ? await this.#uploads.progress(id) : undefined
    if (!progress) throw ERRORS.FILE_NO_LONGER_EXISTS
    return new Upload({ id, size: progress.size, offset: progress.received })
  }

  override write(stream: Readable, id: string, offset: number): Promise<number> {
    return this.#uploads.append(id, stream, offset)
  }

  override async remove(id: string): Promise<void> {
    if (!isUploadId(id)) throw ERRORS.FILE_NOT_FOUND
    await this.#uploads.drop(id)
  }
}

/**
 * Uploads that go on where they were cut off, by the protocol tus 1.0 (https://tus.io/protocols/resumable-upload), with
 * its extensions creation, creation-with-upload and termination.
 */
export class Resumable {
  readonly #uploads: Uploads
  readonly #server: Server
  readonly #begun = new WeakMap<IncomingMessage, string>()

  constructor(uploads: Uploads) {
    this.#uploads = uploads
    this.#server = new Server({
      path: UPLOADS_PATH,
      datastore: new WaitingStore(uploads),
      maxSize: uploads.fileBytes,
      relativeLocation: true,
      // No other site's page is told anything.
      allowedOrigins: () => false,
      namingFunction: ({ runtime }) => {
        const id = runtime?.node && this.#begun.get(runtime.node.req as IncomingMessage)
        if (id === undefined) throw ERRORS.FILE_NOT_FOUND
        return id
      },
      // An address of a form may hold a secret: nothing that the browser said of the file is kept or given back.
      onUploadCreate: () => Promise.resolve({ metadata: {} }),
      onUploadFinish: (_, { id }) => {
        uploads.finish(id)
        return Promise.resolve({})
      },
      onResponseError: (_, error) => {
        const known = error instanceof HyperactiveError ? error : undefined
        return known && { status_code: known.status, body: known.message }
      },
    })
  }

  /**
   * Answers a request that begins a file.
   *
   * @throws HyperactiveError `upload_empty`, `upload_too_large`, `upload_gone` for a length that is none
   */
  async begin(
    request: IncomingMessage,
    response: ServerResponse,
    { form, name }: { form: string; name: string },
  ): Promise<void> {
    const size = Number(request.headers['upload-length'])
    if (!Number.isSafeInteger(size) || size < 0) throw goneUpload()
    this.#begun.set(request, this.#uploads.begin(form, { name, size }))
    await this.answer(request, response)
  }

  /** Answers any other request. */
  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    await this.#server.handle(request, response)
  }
}
