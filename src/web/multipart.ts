import type { IncomingMessage } from 'node:http'
import { Busboy } from '@fastify/busboy'
import type { BusboyFileStream } from '@fastify/busboy'
import { HyperactiveError } from '../errors.ts'
import { LIMITS } from '../kinds/base/fields.ts'
import { cutOff, notTaken, tooManyFiles } from '../media/uploads/problems.ts'
import type { ReceivedFile } from '../media/uploads/uploads.ts'

/** A file that came with a form: on the disk, or why it is not there. */
export interface SentFile {
  /** As the browser called it. */
  name: string
  received?: ReceivedFile
  problem?: HyperactiveError
}

/** A form of the type multipart/form-data (RFC 7578), with its files on the disk. */
export interface SentForm {
  /** Names and values of inputs, in Latin-1: the bytes are not looked at yet. */
  pairs: [name: string, value: string][]
  files: SentFile[]
}

export interface MultipartOptions {
  /** The most bytes of all texts together. */
  limit: number
  /** Fields that are read; what is beyond them is dropped. */
  mostFields: number
  /** Whether files may be taken, told by the texts before the first of them. */
  mayBring: (pairs: SentForm['pairs']) => boolean
  /** Writes a file to the disk; resolves when it has ended. */
  receive: (stream: BusboyFileStream, name: string) => Promise<ReceivedFile>
}

const HEADER_BYTES = 8 * 1024
/** Room for what a browser sends that has more files than an item takes. */
const MOST_PARTS_OF_FILES = 500

/**
 * Reads a form with files: texts into memory, within a bound, and files to the disk as they come. When it does not arrive
 * whole nothing is kept.
 *
 * @returns what was sent, or why it cannot be read
 */
export async function receiveMultipart(
  request: IncomingMessage,
  options: MultipartOptions,
): Promise<SentForm | 'cut-off' | 'too-large'> {
  const parser = parserOf(request, options)
  if (!parser) return 'cut-off'
  const form: SentForm = { pairs: [], files: [] }
  const writing: Promise<void>[] = []
  const streams = new Set<BusboyFileStream>()
  let bytes = 0
  let mayBring: boolean | undefined

  parser.on('field', (name, value, _, isCut) => {
    bytes += name.length + value.length
    // A text that is cut off is larger than all may be together.
    if (isCut) bytes += options.limit
    if (bytes <= options.limit) form.pairs.push([name, value.replaceAll(/\r\n?/g, '\n')])
    else form.pairs.length = 0
  })
  parser.on('file', (_, stream, name) => {
    // It fails when the form is cut off, whoever listens.
    stream.on('error', () => undefined)
    // A browser sends an input of which nothing was chosen as a file without a name.
    if (!name) {
      stream.resume()
      return
    }
    mayBring ??= options.mayBring(form.pairs)
    const sent: SentFile = { name }
    form.files.push(sent)
    if (!mayBring || form.files.length > LIMITS.files) {
      sent.problem = mayBring ? tooManyFiles(LIMITS.files) : notTaken()
      stream.resume()
      return
    }
    streams.add(stream)
    writing.push(
      options
        .receive(stream, name)
        .then(
          (received) => (sent.received = received),
          (error: unknown) => (sent.problem = problemOf(error)),
        )
        .then(() => void streams.delete(stream)),
    )
  })
  const isWhole = await read(request, parser)
  if (!isWhole) for (const stream of streams) stream.destroy(cutOff())
  await Promise.all(writing)
  if (isWhole && bytes <= options.limit) return form
  await discard(form)
  return isWhole ? 'too-large' : 'cut-off'
}

/** Removes the files of a form that nobody has taken. */
export async function discard({ files }: Pick<SentForm, 'files'>): Promise<void> {
  for (const { received } of files) await received?.[Symbol.asyncDispose]()
}

function parserOf({ headers }: IncomingMessage, { limit, mostFields }: MultipartOptions) {
  try {
    return new Busboy({
      headers: { ...headers, 'content-type': headers['content-type'] ?? '' },
      // Bytes as they came: whether they are UTF-8 is looked at later, for all forms alike.
      defCharset: 'latin1',
      limits: {
        fieldSize: limit,
        fields: mostFields,
        files: MOST_PARTS_OF_FILES,
        parts: mostFields + MOST_PARTS_OF_FILES,
        headerPairs: 20,
        headerSize: HEADER_BYTES,
      },
    })
  } catch {
    // No boundary is named.
    return undefined
  }
}

/** Whether all of a request went into the parser, and made sense to it. */
function read(request: IncomingMessage, parser: NonNullable<ReturnType<typeof parserOf>>): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const fail = () => {
    request.unpipe(parser)
    // What is still on its way is read and dropped, so that the browser gets to see the answer.
    request.resume()
    resolve(false)
  }
  request.once('error', fail)
  request.once('close', () => {
    if (!request.complete) fail()
  })
  parser.once('error', fail)
  parser.once('finish', () => resolve(true))
  request.pipe(parser)
  return promise
}

function problemOf(error: unknown): HyperactiveError {
  return error instanceof HyperactiveError ? error : cutOff(error)
}
