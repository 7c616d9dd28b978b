import { randomBytes } from 'node:crypto'
import { request } from 'node:http'
import type { IncomingHttpHeaders } from 'node:http'
import test from 'ava'
import { formFields } from '../helpers/forms.ts'
import { hasNginx, startNginx } from '../helpers/nginx.ts'
import { startNode } from '../helpers/node.ts'
import { PASSWORD, setUp } from '../helpers/people.ts'
import { grep, traces } from '../helpers/traces.ts'

const behindNginx = hasNginx() ? test : test.skip
/** An address that nothing else on the machine has. */
const ADDRESS = '127.0.0.77'

interface Answer {
  status: number
  headers: IncomingHttpHeaders
  text: string
}

behindNginx(
  'behind nginx somebody publishes, comments, reports and signs in, and their address is nowhere',
  async (t) => {
    const node = await startNode(t, { HYPERACTIVE_LOG: 'debug' })
    await setUp(node)
    const nginx = await startNginx(t, node.address)
    const ask = (path: string, fields?: Record<string, string>, port = nginx.port) =>
      new Promise<Answer>((resolve, reject) => {
        const body = fields && new URLSearchParams(fields).toString()
        const headers = body === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' }
        const options = {
          port,
          path,
          headers,
          localAddress: ADDRESS,
          method: body === undefined ? 'GET' : 'POST',
        }
        const asking = request({ host: '127.0.0.1', ...options }, (response) => {
          const chunks: Buffer[] = []
          response.on('data', (chunk: Buffer) => chunks.push(chunk))
          response.on('end', () => {
            const text = Buffer.concat(chunks).toString()
            resolve({ status: response.statusCode ?? 0, headers: response.headers, text })
          })
        })
        asking.on('error', reject)
        asking.end(body)
      })
    const fill = async (path: string, fields: Record<string, string>) =>
      ask(path, { ...formFields((await ask(path)).text), ...fields })

    const marker = `marker${randomBytes(8).toString('hex')}`
    // Larger than nginx keeps in memory, so that it goes through one of its files.
    const long = Array.from({ length: 1000 }, () => `${marker} and more of it.`).join('\n\n')
    const published = await fill('/publish/article', { title: marker, body: long, action: 'publish' })
    t.is(published.status, 303)
    const item = /\/articles\/([^/]+)/.exec(published.headers.location ?? '')?.[1] ?? ''
    t.is((await fill(`/comments/${item}`, { body: 'A remark.', action: 'publish' })).status, 303)
    t.is((await fill(`/report/${item}`, { reason: 'Rude.' })).status, 200)
    t.is((await fill('/sign-in', { handle: 'root', password: 'wrong' })).status, 403)
    t.is((await fill('/sign-in', { handle: 'root', password: PASSWORD })).status, 303)
    t.is((await ask('/nothing')).status, 404)
    t.is(
      (await ask('/publish/article', { body: 'x'.repeat(4_000_000) })).status,
      413,
      'nginx itself refuses it',
    )
    await node.stop()
    // What nginx would write of a node that is gone holds the address, too.
    t.is((await ask('/')).status, 502)
    await nginx.stop()

    const places = [node.data, nginx.folder]
    t.not(
      (await Promise.all(places.map((place) => grep(marker, place)))).flat().length,
      0,
      'what is there is found',
    )
    for (const place of places)
      for (const trace of traces(ADDRESS)) t.deepEqual(await grep(trace, place), [], place)
    for (const trace of traces(ADDRESS)) t.false(node.output.includes(trace))
  },
)
