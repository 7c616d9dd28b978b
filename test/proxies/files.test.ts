import { randomBytes } from 'node:crypto'
import test from 'ava'
import type { ExecutionContext } from 'ava'
import type { Draft } from '../../src/ledger/document.ts'
import { publishWithFiles } from '../helpers/files-of-items.ts'
import type { GivenFile } from '../helpers/files-of-items.ts'
import type { NodeHere } from '../helpers/node-here.ts'
import { startNodeHere } from '../helpers/node-here.ts'
import { listener } from '../helpers/told.ts'
import { until } from '../helpers/wait.ts'

const picture = (): GivenFile => ({ type: 'image/jpeg', extension: 'jpg', bytes: randomBytes(1000) })

async function hide(node: NodeHere, item: string): Promise<void> {
  const draft: Draft = { type: 'decision', item, target: item, action: 'hide', reason: 'x', supersedes: [] }
  await node.here.store.ledger.append([{ draft }])
}

const tells = test.macro(async (t: ExecutionContext, pages: string) => {
  const [keys, addresses] = [await listener(t), await listener(t)]
  const node = await startNodeHere(
    t,
    `url: https://news.example.org
pages: { ${pages} }
proxies:
  - { url: 'http://127.0.0.1:${keys.port}', method: BAN }
  - { url: 'http://127.0.0.1:${addresses.port}', method: PURGE }
`,
  )
  const { item, files } = await publishWithFiles(node, [picture()])
  const { files: others } = await publishWithFiles(node, [picture()])
  const [path, other] = [files, others].map(([file]) => `/files/${file?.sha256 ?? ''}.jpg`)
  const headersOf = async (asked = '') => (await node.page(asked)).headers
  const headers = await headersOf(path)
  t.is(headers.get('cache-control'), 'public, max-age=600, s-maxage=3600, stale-if-error=604800')
  const [all, key = ''] = (headers.get('surrogate-key') ?? '').split(' ')
  t.is(all, 'all')
  t.regex(key, /^[\w-]{10}$/)
  t.not((await headersOf(other)).get('surrogate-key'), headers.get('surrogate-key'))

  await hide(node, item)
  await until('it is told by key', () =>
    keys.asked.some(({ headers: said }) => String(said['surrogate-key']).split(' ').includes(key)),
  )
  const purge = await until('it is told by address', () =>
    addresses.asked.find(({ line }) => line === `PURGE ${path}`),
  )
  t.is(purge.headers['accept-language'], undefined, 'it is the same in all languages')
  t.false(addresses.asked.some(({ line }) => line === `PURGE ${other}`))
  const gone = await node.page(path ?? '')
  t.is(gone.status, 404)
  t.notRegex(gone.headers.get('cache-control') ?? '', /public|s-maxage/)
})

test('servers in front are told of a file when what shows it is hidden', tells, 'memoryBytes: 10000000')

test('they are told of it also where the node itself keeps no pages', tells, 'memoryBytes: 0')

test('films and sound are not for servers that keep pages, and nothing has keys where nobody reads them', async (t) => {
  const node = await startNodeHere(t, '')
  const film = { ...picture(), type: 'video/mp4', extension: 'mp4' }
  const { files } = await publishWithFiles(node, [film])
  const { headers } = await node.page(`/files/${files[0]?.sha256 ?? ''}.mp4`)
  t.is(headers.get('cache-control'), 'public, max-age=600')
  t.is(headers.get('surrogate-key'), null)
})

test('a file that two items have is shown until the last of them is hidden', async (t) => {
  const node = await startNodeHere(t, '')
  const shared = picture()
  const [first, second] = [await publishWithFiles(node, [shared]), await publishWithFiles(node, [shared])]
  const path = `/files/${first.files[0]?.sha256 ?? ''}.jpg`
  await hide(node, first.item)
  await until('it is hidden', async () => (await node.html('/hidden')).includes(first.item))
  t.is((await node.page(path)).status, 200)
  await hide(node, second.item)
  await until('both are hidden', async () => (await node.html('/hidden')).includes(second.item))
  t.is((await node.page(path)).status, 404)
})
