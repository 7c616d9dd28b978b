import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { dirname, join } from 'node:path'
import { brotliCompressSync, brotliDecompressSync, gunzipSync, gzipSync } from 'node:zlib'
import test from 'ava'
import type { ExecutionContext } from 'ava'
import { ask as askAt } from '../helpers/ask.ts'
import { startNodeWith } from '../helpers/config.ts'
import { testFolder } from '../helpers/folder.ts'
import { publish } from '../helpers/forms.ts'
import { freePort, hasNginx, startNginx } from '../helpers/nginx.ts'
import { setUp } from '../helpers/people.ts'
import { until } from '../helpers/wait.ts'

const CADDY = '/usr/bin/caddy'

/** A web server that gives out a node's page files. */
type Start = (t: ExecutionContext, nodeAddress: string, pages: string) => Promise<number>

const nginx: Start = async (t, nodeAddress, pages) => {
  const instead = { '/var/lib/hyperactive/pages': pages }
  return (await startNginx(t, nodeAddress, { sample: 'files.conf', instead })).port
}

const caddy: Start = async (t, nodeAddress, pages) => {
  const folder = await testFolder(t)
  const port = await freePort()
  const sample = await readFile('deploy/caddy/Caddyfile', 'utf8')
  const file = join(folder, 'Caddyfile')
  const named = sample
    .replace('NEWS.EXAMPLE.ORG {', `http://127.0.0.1:${port} {`)
    .replace('/var/lib/hyperactive/pages\n\n\t#', `${pages}\n\n\t#`)
    .replace('127.0.0.1:8080', new URL(nodeAddress).host)
  await writeFile(file, named)
  const child = spawn(CADDY, ['run', '--config', file, '--adapter', 'caddyfile'], {
    env: { PATH: process.env.PATH, HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()))
  t.teardown(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const closed = once(child, 'close')
    child.kill('SIGTERM')
    await closed
  })
  await until('Caddy answers', async () => {
    if (child.exitCode !== null) throw new Error(output)
    return (await fetch(`http://127.0.0.1:${port}/livez`)).ok
  })
  return port
}

async function put(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, text)
  await writeFile(`${path}.gz`, gzipSync(text))
  await writeFile(`${path}.br`, brotliCompressSync(text))
}

const givesOut = test.macro(async (t: ExecutionContext, start: Start) => {
  const node = await startNodeWith(t, 'pages: { memoryBytes: 10000000 }\n')
  const root = await setUp(node)
  const story = await publish(node, { title: 'A story', body: 'A text. '.repeat(200) })
  const folder = await testFolder(t)
  const pages = join(folder, 'pages')
  for (const [path, text] of [
    ['en/index.html', 'front page'],
    ['de/index.html', 'Titelseite'],
    ['en/newswire/index.html', 'newswire'],
    ['de/newswire/index.html', 'Ticker'],
    ['any/de/newswire/index.html', 'Ticker unter /de'],
    ['en/newswire/feed.atom', '<feed/>'],
    ['en/tags/río/index.html', 'a river'],
  ] as const)
    await put(join(pages, path), text)
  await writeFile(join(folder, 'secret'), 'not for anybody')
  const port = await start(t, node.address, pages)
  const ask = (path: string, headers: Record<string, string> = {}, method = 'GET') =>
    askAt(port, { path, headers, method })
  const textOf = async (path: string, headers: Record<string, string> = {}) => (await ask(path, headers)).text

  t.is(await textOf('/'), 'front page')
  t.is(await textOf('/newswire', { 'accept-language': 'en-GB,de;q=0.5' }), 'newswire')
  t.is(await textOf('/newswire', { 'accept-language': 'xx;q=0.9, de;q=0.8' }), 'Ticker')
  t.is(await textOf('/newswire', { 'accept-language': 'en;q=0,de' }), 'Ticker')
  t.is(await textOf('/newswire?utm_source=x'), 'newswire')
  t.is(await textOf('/de/newswire', { 'accept-language': 'en' }), 'Ticker unter /de')
  t.is(await textOf('/tags/r%C3%ADo'), 'a river')
  t.is((await ask('/newswire', {}, 'HEAD')).headers['x-cache'], 'FILE')

  // With the headers that the node gives its pages, as small as the reader takes it, and not twice.
  const own = await node.page('/newswire')
  const given = await ask('/newswire', { 'accept-encoding': 'gzip' })
  t.is(given.headers['content-encoding'], 'gzip')
  t.is(gunzipSync(given.body).toString(), 'newswire')
  if (start === caddy) {
    const { body } = await ask('/newswire', { 'accept-encoding': 'gzip, br' })
    t.is(brotliDecompressSync(body).toString(), 'newswire')
  }
  for (const name of [
    'content-type',
    'x-content-type-options',
    'referrer-policy',
    'permissions-policy',
    'cross-origin-opener-policy',
  ])
    t.is(given.headers[name], own.headers.get(name) ?? '', name)
  t.true(
    String(given.headers['content-security-policy']).startsWith(
      own.headers.get('content-security-policy') ?? ' ',
    ),
  )
  const feed = await ask('/newswire/feed.atom')
  t.is(feed.headers['x-cache'], 'FILE')
  t.is(
    feed.headers['content-type'],
    (await node.page('/newswire/feed.atom')).headers.get('content-type') ?? '',
  )
  const plain = await ask('/newswire')
  t.is((await ask('/newswire', { 'if-none-match': String(plain.headers.etag) })).status, 304)

  // Everything else is the node's: parameters that count, whoever is signed in, forms, what is no page.
  const before = `before=${encodeURIComponent(`9999-01-01T00:00:00.000Z-0000_${'0'.repeat(26)}`)}`
  for (const query of [before, before.replace('before', 'b%65fore')])
    t.true((await textOf(`/newswire?${query}`)).includes('A story'))
  t.true((await textOf('/newswire', { cookie: root.cookie ?? '' })).includes('/office'))
  t.true((await textOf(story.path)).includes('A story'))
  t.is((await ask('/newswire', {}, 'POST')).status, 405)
  for (const path of [
    '/newswire/index.html.gz',
    '/newswire/index.html.br',
    '/../secret',
    '/..%2fsecret',
    '/%2e%2e/%2e%2e/secret',
    '/newswire/..%2f..%2f..%2fsecret',
  ]) {
    const { status, text } = await ask(path)
    t.true(status >= 400, path)
    t.false(text.includes('not for anybody'))
  }

  await node.stop()
  t.is(await textOf('/newswire'), 'newswire', 'it is there without the node')
  t.is((await ask('/nothing')).status, 502)
})

const follows = test.macro(async (t: ExecutionContext, start: Start) => {
  const node = await startNodeWith(t, 'url: http://news.example.test\npages: { memoryBytes: 10000000 }\n')
  const root = await setUp(node)
  const story = await publish(node, { title: 'A story' })
  const port = await start(t, node.address, join(node.data, 'pages'))
  const textFrom = async (path: string, language: string) => {
    const { headers, text } = await askAt(port, { path, headers: { 'accept-language': language } })
    return headers['x-cache'] === 'FILE' && { text, type: headers['content-type'] }
  }
  const paths = [story.path, '/newswire', '/', '/newswire/feed.atom', '/calendar.ics', '/sitemap.xml']
  const asked = paths.flatMap((path) => [[path, 'en'] as const, [path, 'de'] as const])
  asked.push([`/es${story.path}`, 'en'])
  for (const [path, language] of asked) {
    const file = await until(`${path} is a file`, () => textFrom(path, language))
    const own = await node.page(path, { headers: { 'accept-language': language } })
    t.is(file.text, await own.text(), path)
    t.is(file.type, own.headers.get('content-type') ?? '', path)
  }
  await root.send(`/moderate/${story.item}`, { action: 'hide', category: 'spam' })
  for (const [path, language] of asked) {
    const { text } = await until(`${path} has changed`, async () => {
      const answer = await askAt(port, { path, headers: { 'accept-language': language } })
      return answer.text.includes('noindex') === path.includes(story.item) && answer
    })
    if (!path.includes(story.item)) t.false(text.includes('A story'), path)
  }
})

;(hasNginx() ? test.serial : test.serial.skip)('nginx gives out files of kept pages', givesOut, nginx)
;(existsSync(CADDY) ? test.serial : test.serial.skip)('Caddy gives out files of kept pages', givesOut, caddy)

;(hasNginx() ? test.serial : test.serial.skip)(
  'nginx gives out the files that the node writes, and not what is hidden',
  follows,
  nginx,
)
;(existsSync(CADDY) ? test.serial : test.serial.skip)(
  'Caddy gives out the files that the node writes, and not what is hidden',
  follows,
  caddy,
)
