import { createServer as createHttpServer } from 'node:http'
import type { ExecutionContext } from 'ava'
import { connectCouch } from '../../src/couch/client.ts'
import type { Database } from '../../src/couch/database.ts'
import { Databases } from '../../src/couch/embedded/databases.ts'
import type { OpenDatabase } from '../../src/couch/embedded/databases.ts'
import { createServer } from '../../src/couch/embedded/server.ts'
import { testFolder } from '../helpers/folder.ts'

const CREDENTIALS = { username: 'node', password: 'secret' }
export const AUTHORIZATION = `Basic ${Buffer.from('node:secret').toString('base64')}`

export interface Reply {
  status: number
  headers: Headers
  // eslint-disable-next-line typescript/no-explicit-any -- a test names the fields it looks at
  body: any
}

export interface TestStore {
  /** Base URL without credentials. */
  readonly url: string
  /** Base URL with credentials. */
  readonly fullUrl: string
  readonly folder: string
  /** The database `ledger`, by nano. */
  readonly database: Database
  /** What the server holds of `ledger`. */
  readonly opened: OpenDatabase
  /** One request by plain fetch; `path` begins behind the base URL. */
  readonly call: (
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ) => Promise<Reply>
}

/** The embedded store's server in this process, with an empty database `ledger`. */
export async function serveStore(t: ExecutionContext): Promise<TestStore> {
  const folder = await testFolder(t)
  const databases = new Databases(folder)
  await databases.open()
  await databases.create('ledger')
  const server = createHttpServer(createServer(databases, CREDENTIALS).callback())
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  const url = `http://127.0.0.1:${port}`
  const fullUrl = `http://node:secret@127.0.0.1:${port}`
  const couch = connectCouch(fullUrl)
  t.teardown(async () => {
    await couch[Symbol.asyncDispose]()
    server.close()
    server.closeAllConnections()
    await databases.close()
  })
  return {
    url,
    fullUrl,
    folder,
    database: couch.database('ledger'),
    opened: databases.get('ledger'),
    call: (method, path, body, headers) => call(url, method, path, body, headers),
  }
}

/** One request with the test's password; a body that is not text is sent as JSON. */
export async function call(
  url: string,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Reply> {
  const answer = await fetch(url + path, {
    method,
    headers: { authorization: AUTHORIZATION, 'content-type': 'application/json', ...headers },
    ...(body === undefined
      ? {}
      : { body: typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body) }),
  })
  const text = await answer.text()
  return { status: answer.status, headers: answer.headers, body: text === '' ? undefined : JSON.parse(text) }
}
