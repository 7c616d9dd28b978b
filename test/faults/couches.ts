import { randomBytes } from 'node:crypto'
import { fetch } from 'undici'
import type { Response } from 'undici'

const VARIABLE = 'HYPERACTIVE_TEST_COUCHDB_URLS'

/** A CouchDB server for some nodes of a network. What they made there is removed when it is disposed. */
export interface TestCouch extends AsyncDisposable {
  /** What a node needs in its environment to keep its databases there. */
  environmentOf(node: string): Record<string, string>
}

/** The servers that the environment names, by base URLs with credentials; none, and all nodes are embedded. */
export function couchesGiven(): TestCouch[] {
  return (process.env[VARIABLE] ?? '')
    .split(/[\s,]+/)
    .filter(Boolean)
    .map(testCouch)
}

function testCouch(url: string): TestCouch {
  const run = `faults_${randomBytes(4).toString('hex')}_`
  return {
    environmentOf: (node) => ({ COUCHDB_URL: url, HYPERACTIVE_COUCHDB_PREFIX: `${run}${node}_` }),
    async [Symbol.asyncDispose]() {
      for (const name of await readJson<string[]>(url, '_all_dbs')) {
        if (name.startsWith(run)) await request(url, encodeURIComponent(name), 'DELETE')
      }
      const users = await readJson<{ rows?: { id: string; value: { rev: string } }[] }>(
        url,
        '_users/_all_docs',
      )
      for (const { id, value } of users.rows ?? []) {
        if (id.includes(run))
          await request(url, `_users/${encodeURIComponent(id)}?rev=${value.rev}`, 'DELETE')
      }
    },
  }
}

async function readJson<Answer>(url: string, path: string): Promise<Answer> {
  return (await (await request(url, path)).json()) as Answer
}

function request(url: string, path: string, method = 'GET'): Promise<Response> {
  const { origin, pathname, username, password } = new URL(url)
  const login = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  const headers = { authorization: `Basic ${Buffer.from(login).toString('base64')}` }
  return fetch(`${origin}${pathname.replace(/\/+$/, '')}/${path}`, { method, headers })
}
