import nano from 'nano'
import { Agent } from 'undici'
import { asCouchError, isCouchError } from './request.ts'
import type { CouchRequest, CouchSend } from './request.ts'
import { Database } from './database.ts'

/** A CouchDB server, real or embedded, as the program sees it: databases by the program's own names. */
export interface Couch extends AsyncDisposable {
  /** What the names of this node's databases begin with on the server. */
  readonly prefix: string
  /** Any other request, by the server's own names. */
  request: CouchSend
  database(name: string): Database
  /** One of the server's own databases, such as `_replicator`; it has no prefix. */
  serverDatabase(name: `_${string}`): Database
  /** Makes a database unless it is there. */
  ensureDatabase(name: string): Promise<Database>
  /** Removes a database with all that is in it, if it is there. */
  deleteDatabase(name: string): Promise<void>
}

/**
 * A client for the CouchDB at `url`, by nano. Connections are kept alive; a body may take as long as it needs,
 * because the changes feed waits.
 *
 * @param url base URL, also one with a path; credentials in it are used for Basic authentication and appear in no error
 * @param options.prefix what the names of this node's databases begin with on the server
 */
export function connectCouch(url: string, { prefix = '' }: { prefix?: string } = {}): Couch {
  const agent = new Agent({ keepAliveTimeout: 30_000, bodyTimeout: 0, headersTimeout: 0, connections: 64 })
  // nano takes any undici dispatcher and `parseUrl`, which its types do not know.
  const options = {
    url: url.replace(/\/+$/, ''),
    parseUrl: false,
    agentOptions: agent,
  } as unknown as nano.Configuration
  const server = nano(options)
  const send: CouchSend = async <Answer>({ body, bytes, signal, ...request }: CouchRequest) => {
    try {
      const options = {
        ...request,
        ...(signal ? { signal } : {}),
        // A Buffer goes out as it is; nano would put an object through a slow replacer.
        ...(body === undefined ? {} : { body: Buffer.from(JSON.stringify(body)) }),
        ...(bytes && {
          body: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength),
          contentType: 'application/octet-stream',
        }),
      }
      const answer: unknown = await server.request(options)
      // nano gives what it cannot parse as text: the beginning of an answer that was cut off, or what is no CouchDB's.
      if (typeof answer === 'string') throw new Error('the answer was cut off, or is not JSON')
      return answer as Answer
    } catch (error) {
      if (signal?.aborted) throw signal.reason
      throw asCouchError(error, request)
    }
  }
  return {
    prefix,
    request: send,
    database: (name) => new Database(name, send, prefix),
    serverDatabase: (name) => new Database(name, send),
    async ensureDatabase(name) {
      const database = new Database(name, send, prefix)
      try {
        await database.info()
      } catch (error) {
        if (!isCouchError(error, 404)) throw error
        await send({ method: 'PUT', db: prefix + name }).catch((problem: unknown) => {
          if (!isCouchError(problem, 412)) throw problem
        })
      }
      return database
    },
    async deleteDatabase(name) {
      await send({ method: 'DELETE', db: prefix + name }).catch((error: unknown) => {
        if (!isCouchError(error, 404)) throw error
      })
    },
    [Symbol.asyncDispose]: () => agent.destroy(),
  }
}
