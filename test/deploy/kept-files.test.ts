import { randomBytes } from 'node:crypto'
import test from 'ava'
import type { ExecutionContext } from 'ava'
import type { Draft } from '../../src/ledger/document.ts'
import { ask as askAt } from '../helpers/ask.ts'
import { publishWithFiles } from '../helpers/files-of-items.ts'
import type { GivenFile } from '../helpers/files-of-items.ts'
import { startNodeHere } from '../helpers/node-here.ts'
import { hasNginx, startNginx } from '../helpers/nginx.ts'
import { freePort } from '../helpers/server-process.ts'
import { hasVarnish, startVarnish } from '../helpers/varnish.ts'
import { until } from '../helpers/wait.ts'

const HOST = 'news.example.test'
const SECRET = 'a-secret-of-this-test'
const NAMES = { 'NEWS.EXAMPLE.ORG': HOST, 'CHANGE-THIS-SECRET': SECRET }

const STARTS = {
  async PURGE(t: ExecutionContext, address: string, port: number) {
    const instead = { ...NAMES, '127.0.0.1:8081': `127.0.0.1:${port}` }
    return (await startNginx(t, address, { sample: 'cache.conf', instead })).port
  },
  async BAN(t: ExecutionContext, address: string, port: number) {
    return (await startVarnish(t, address, NAMES, port)).port
  },
} as const

const keeps = test.macro(async (t: ExecutionContext, method: keyof typeof STARTS) => {
  const purgePort = await freePort()
  const node = await startNodeHere(
    t,
    `url: http://${HOST}
proxies: [{ url: 'http://127.0.0.1:${purgePort}', method: ${method}, secret: ${SECRET} }]
`,
  )
  const picture: GivenFile = { type: 'image/jpeg', extension: 'jpg', bytes: randomBytes(300_000) }
  const film: GivenFile = { type: 'video/mp4', extension: 'mp4', bytes: randomBytes(300_000) }
  const { item, files } = await publishWithFiles(node, [picture, film])
  const [path = '', filmPath = ''] = files.map(
    ({ sha256 }, index) => `/files/${sha256}.${index === 0 ? 'jpg' : 'mp4'}`,
  )
  const port = await STARTS[method](t, node.address, purgePort)
  const ask = (asked: string, headers: Record<string, string> = {}) =>
    askAt(port, { path: asked, headers: { host: HOST, ...headers } })
  await until('the node has reached it', async () => (await node.run('status')).out.includes(' told since '))

  // What the node told it at its start comes once more a little later.
  await until('it is kept', async () => (await ask(path)).headers['x-cache'] === 'HIT')
  const hit = await ask(path, { 'accept-language': 'de' })
  t.true(hit.body.equals(picture.bytes))
  t.is(hit.headers['surrogate-key'], undefined)
  t.is(hit.headers['x-content-type-options'], 'nosniff')
  const part = await ask(path, { range: 'bytes=1000-1999' })
  t.is(part.status, 206)
  t.true(part.body.equals(picture.bytes.subarray(1000, 2000)))
  for (let turn = 0; turn < 2; turn += 1) {
    const answer = await ask(filmPath, { range: 'bytes=0-9' })
    t.is(answer.status, 206)
    t.true(answer.body.equals(film.bytes.subarray(0, 10)))
    t.not(answer.headers['x-cache'], 'HIT')
  }

  const draft: Draft = { type: 'decision', item, target: item, action: 'hide', reason: 'x', supersedes: [] }
  await node.here.store.ledger.append([{ draft }])
  await until('nobody gets it any more', async () => (await ask(path)).status === 404)
  t.is((await ask(filmPath)).status, 404)
})

if (hasNginx())
  test('nginx keeps pictures, and lets go of one when its item is hidden; films pass', keeps, 'PURGE')
if (hasVarnish())
  test('Varnish keeps pictures, and lets go of one when its item is hidden; films pass', keeps, 'BAN')
