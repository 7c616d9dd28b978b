import test from 'ava'
import type { ExecutionContext } from 'ava'
import { ask as askAt } from '../helpers/ask.ts'
import { startNodeWith } from '../helpers/config.ts'
import { publish } from '../helpers/forms.ts'
import { freePort, hasNginx, startNginx } from '../helpers/nginx.ts'
import { setUp } from '../helpers/people.ts'
import { grep, traces } from '../helpers/traces.ts'
import { hasVarnish, startVarnish } from '../helpers/varnish.ts'
import { until } from '../helpers/wait.ts'
import { watched } from '../helpers/watched.ts'

/** An address that nothing else on the machine has. */
const ADDRESS = '127.0.0.77'
const SECRET = 'a-secret-of-this-test'
const HOST = 'news.example.test'
const NAMES = { 'NEWS.EXAMPLE.ORG': HOST, 'CHANGE-THIS-SECRET': SECRET }

/** A proxy that keeps pages. */
interface Cache {
  method: 'BAN' | 'PURGE'
  /** @param purgePort where the node tells it what does not hold any more */
  start(
    t: ExecutionContext,
    nodeAddress: string,
    purgePort: number,
  ): Promise<{ port: number; folder: string }>
}

const NGINX: Cache = {
  method: 'PURGE',
  start(t, nodeAddress, purgePort) {
    const instead = { ...NAMES, '127.0.0.1:8081': `127.0.0.1:${purgePort}` }
    return startNginx(t, nodeAddress, { sample: 'cache.conf', instead })
  },
}

const VARNISH: Cache = {
  method: 'BAN',
  start: (t, nodeAddress, port) => startVarnish(t, nodeAddress, NAMES, port),
}

/** What changes is told once more two seconds later, which takes off what was fetched meanwhile. */
function toldOnceMore(sinceMs = Date.now()): Promise<unknown> {
  return until('it has been told once more', () => Date.now() - sinceMs > 3000)
}

const serves = test.macro(async (t: ExecutionContext, cache: Cache) => {
  const purgePort = await freePort()
  const node = await startNodeWith(
    t,
    `url: http://${HOST}
pages: { memoryBytes: 10000000, cache: { listingSeconds: 1 } }
proxies:
  - { url: 'http://127.0.0.1:${purgePort}', method: ${cache.method}, secret: ${SECRET} }
`,
  )
  const root = await setUp(node)
  const story = await publish(node, { title: 'A story', body: 'A text. '.repeat(300) })
  const { address, passed } = await watched(t, () => node.address)
  const { port, folder } = await cache.start(t, address, purgePort)
  const ask = (path: string, headers: Record<string, string> = {}, { method = 'GET', to = port } = {}) =>
    askAt(to, { path, method, headers: { host: HOST, ...headers }, from: ADDRESS })
  const seen = (path: string) => passed.filter((one) => one.path.startsWith(path))
  await until('the node has reached it', async () => (await node.run('status')).out.includes(' told since '))

  await toldOnceMore()

  // A hit does not reach the node, whatever parameters somebody invents.
  t.true((await ask(story.path)).text.includes('A story'))
  const hit = await ask(story.path)
  t.is(hit.headers['x-cache'], 'HIT')
  t.is(hit.headers['surrogate-key'], undefined)
  t.regex(hit.headers['cache-control'] ?? '', /max-age=0, must-revalidate/)
  for (const query of ['?utm_source=x', '?x=1&y=2', '?b%65fore=x', '?BEFORE=x', `?${'x&'.repeat(30)}`])
    t.is((await ask(story.path + query)).headers['x-cache'], 'HIT', query)
  t.is((await ask(story.path, { cookie: 'something=else' })).headers['x-cache'], 'HIT')
  t.is(seen(story.path).length, 1)
  t.is((await ask(story.path, { 'if-none-match': hit.headers.etag ?? '' })).status, 304)
  t.is((await ask(story.path, { 'accept-encoding': 'gzip' })).headers['content-encoding'], 'gzip')
  t.is(seen(story.path).length, 1)

  // Languages are few, and each is the one that was asked for.
  for (const asked of ['de', 'de-AT,de;q=0.9,en;q=0.5', 'xx,de', 'en;q=0,de'])
    t.regex((await ask(story.path, { 'accept-language': asked })).text, /<html lang="de"/, asked)
  for (const asked of ['en-GB,de', 'xx', '']) {
    t.regex((await ask(story.path, { 'accept-language': asked })).text, /<html lang="en"/, asked)
  }
  t.regex((await ask(`/es${story.path}`, { 'accept-language': 'de' })).text, /<html lang="es"/)
  // What was published is told once more a little later, which may come in between.
  await until('languages are kept', async () => {
    const { length } = seen(story.path)
    for (const asked of ['de', 'de-AT,de;q=0.9,en;q=0.5', 'xx,de', 'en;q=0,de', 'en-GB,de', 'xx', ''])
      await ask(story.path, { 'accept-language': asked })
    return seen(story.path).length === length
  })

  // Parameters that count make another page, and nobody can put it in the place of the first one.
  const before = `before=${encodeURIComponent(`9999-01-01T00:00:00.000Z-0000_${'0'.repeat(26)}`)}`
  for (const query of [`b%65fore=x`, `${'x&'.repeat(20)}before=x`, 'before=x&before=y'])
    await ask(`/newswire?${query}`)
  t.true((await ask(`/newswire?${before}`)).text.includes('A story'))
  t.is((await ask('/newswire')).status, 200)
  t.true((await ask('/newswire')).text.includes('A story'))

  // Whoever is signed in gets nothing that is kept, and leaves nothing.
  const cookie = root.cookie ?? ''
  const own = await ask(story.path, { cookie })
  t.not(own.headers['x-cache'], 'HIT')
  t.true(own.text.includes('/office'))
  t.true((await ask(story.path, { cookie: `a=b; ${cookie}` })).text.includes('/office'))
  t.false((await ask(story.path)).text.includes('/office'))
  t.is((await ask(story.path)).headers['x-cache'], 'HIT')
  t.true(passed.every((one) => one.cookie === undefined || one.cookie.includes(cookie)))

  // What forms and searches answer is kept for nobody.
  for (const path of ['/publish/article', '/search?q=story', '/nothing-here']) {
    await ask(path)
    t.not((await ask(path)).headers['x-cache'], 'HIT', path)
  }
  t.true((await ask('/search?q=story')).text.includes(story.path))
  t.false((await ask('/search?q=elephant')).text.includes(story.path))

  // An open page is told at once what is new.
  const place = before.replace('before=9999', 'after=0001')
  const question = { path: `/live/newswire?${place}`, headers: { host: HOST }, begins: true } as const
  const live = await askAt(port, question)
  t.regex(live.headers['content-type'] ?? '', /^text\/event-stream/)
  t.regex(live.text, /^(?:id|data|retry|:)/)

  // An older page is asked about again, and not sent anew.
  await until('a listing is asked about again', async () => {
    await ask('/newswire')
    return seen('/newswire').some(({ status }) => status === 304)
  })

  // Only the node purges.
  const told = { 'surrogate-key': 'all', 'purge-secret': 'wrong-secret' }
  t.is((await ask(story.path, told, { method: cache.method, to: purgePort })).status, 403)
  t.is((await ask(story.path)).headers['x-cache'], 'HIT')

  // What is hidden is gone at once, though it might be kept for a minute.
  t.false((await ask(story.path)).text.includes('noindex'))
  await root.send(`/moderate/${story.item}`, { action: 'hide', category: 'spam' })
  await until('it is hidden', async () => (await ask(story.path)).text.includes('noindex'))
  for (const path of ['/newswire', `/newswire?${before}`, '/'])
    t.false((await ask(path)).text.includes('A story'), path)
  for (const language of ['de', 'es'])
    t.true((await ask(story.path, { 'accept-language': language })).text.includes('noindex'), language)

  // A node that is down leaves readers what there was.
  await toldOnceMore()
  await ask(story.path)
  t.is((await ask('/newswire')).status, 200)
  await node.stop()
  const stale = await until('the listing has become old', async () => {
    const answer = await ask('/newswire')
    return seen('/newswire').at(-1)?.status === 0 && answer
  })
  t.is(stale.status, 200)
  t.true(stale.text.includes('/newswire'))
  t.is((await ask(story.path)).status, 200)

  // One that comes back does not know what was kept before, so that goes.
  await node.start()
  await until('it is asked of the node', async () => {
    const { length } = seen(story.path)
    return (await ask(story.path)).status === 200 && seen(story.path).length > length
  })
  for (const trace of traces(ADDRESS)) t.deepEqual(await grep(trace, folder), [])
})

;(hasNginx() ? test.serial : test.serial.skip)(
  'nginx keeps pages for readers, drops what has changed, and goes on while the node is down',
  serves,
  NGINX,
)
;(hasVarnish() ? test.serial : test.serial.skip)(
  'Varnish keeps pages for readers, drops what has changed, and goes on while the node is down',
  serves,
  VARNISH,
)
