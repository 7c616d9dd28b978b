import dns from 'node:dns'
import test from 'ava'
import { openTarget } from '../../src/mirrors/targets/open.ts'
import { until } from '../helpers/wait.ts'
import { pages } from './folder-site.ts'
import { CLEAN, distribute, factsOf, mirrored, untilCurrent, verify } from './mirror.ts'
import { startS3Server } from './s3-server.ts'

// Names below localhost are this machine (RFC 6761); not every resolver knows that.
const { lookup } = dns
Object.assign(dns, {
  lookup: (name: string, ...rest: [object, () => void]) =>
    lookup(name.endsWith('.localhost') ? '127.0.0.1' : name, ...(rest as unknown as [() => void])),
})

test('a site is kept in a bucket, with types and how long each file may be kept', async (t) => {
  const server = await startS3Server(t, { region: 'eu-central-1' })
  const all = await mirrored(t, [server.mirror], server.secrets)
  const css = 'assets/site-0123456789ab.css'
  const odd = "tags/~ä b/it's (100%+#?).html"
  await all.site.change({ ...pages(300), [css]: 'body{}', [odd]: 'x' })
  distribute(t, all)
  await untilCurrent(all, 'bucket')
  t.like(await verify(all, 'bucket'), CLEAN)
  const page = await fetch(`${server.address}/bucket/site/index.html`)
  t.is(await page.text(), '<p>Front</p>')
  t.deepEqual(
    [page.headers.get('content-type'), page.headers.get('cache-control')],
    ['text/html; charset=utf-8', 'no-cache'],
  )
  const style = await fetch(`${server.address}/bucket/site/${css}`)
  t.is(style.headers.get('cache-control'), 'public, max-age=31536000, immutable')
  const puts = server.requests.filter((line) => line.startsWith('PUT'))
  t.true(
    puts.findIndex((line) => line.includes(css)) < puts.findIndex((line) => line.endsWith('index.html')),
    'a page comes after the style sheet that it needs',
  )

  const before = server.requests.length
  await all.site.change({
    'articles/7/index.html': undefined,
    'index.html': '<p>Front, anew</p>',
    [odd]: 'y',
  })
  await untilCurrent(all, 'bucket')
  const asked = server.requests.slice(before)
  t.is(asked[0], 'DELETE /bucket/site/articles/7/index.html')
  t.is(asked.filter((line) => !line.includes('.hyperactive/')).length, 3)
  t.true(asked.length <= 3 + 4)
  t.deepEqual(server.badlySigned, [])
  t.like(await verify(all, 'bucket'), CLEAN)
})

test('what somebody did to a bucket is found', async (t) => {
  const server = await startS3Server(t)
  const all = await mirrored(t, [server.mirror], server.secrets)
  await all.site.change(pages(5))
  const stop = distribute(t, all)
  await untilCurrent(all, 'bucket')
  await stop()
  await using target = openTarget(server.mirror, server.secrets.bucket)
  const { signal } = new AbortController()
  await target.remove(['articles/4/index.html'], signal)
  const other = await mirrored(t, [])
  await other.site.change({ 'articles/3/index.html': '<p>Article X</p>', 'theirs.html': 'x' })
  await target.put(other.site.folder, other.site.files, signal)
  t.like(await verify(all, 'bucket'), {
    missing: ['articles/4/index.html'],
    wrong: ['articles/3/index.html'],
    foreign: ['theirs.html'],
  })
})

test('buckets named in the host are asked there; wrong keys are refused and not told', async (t) => {
  const server = await startS3Server(t, { style: 'host' })
  const mirror = { ...server.mirror, endpoint: server.address.replace('127.0.0.1', 's3.localhost') }
  const all = await mirrored(t, [mirror], server.secrets)
  await all.site.change(pages(2))
  const stop = distribute(t, all)
  await untilCurrent(all, 'bucket')
  t.is(await (await fetch(`${server.address}/bucket/site/index.html`)).text(), '<p>Front</p>')
  t.deepEqual(server.badlySigned, [])
  await stop()
  all.secrets.bucket = { accessKeyId: 'unknown', secretAccessKey: 'very-secret' }
  await all.site.change({ 'index.html': 'anew' })
  distribute(t, all)
  await until('it is refused', () => factsOf(all.data, 'bucket').state === 'backing-off')
  const { lastError = '' } = factsOf(all.data, 'bucket')
  t.regex(lastError, /does not let this node in/)
  t.false(lastError.includes('secret'))
})
