import { once } from 'node:events'
import { createServer } from 'node:http'
import { readFile, writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import test from 'ava'
import type { ExecutionContext } from 'ava'
import { hasBrowser, startBrowser } from '../helpers/browser.ts'
import { testFolder } from '../helpers/folder.ts'
import { film, halves, PICTURE_IN, SOUND_IN } from './clean/fixtures.ts'
import { serveHeaders, servedName } from '../../src/media/serve-headers.ts'

const shown = (type: string) =>
  serveHeaders({ type, name: 'a', extension: 'x' })['Content-Disposition']?.split(';')[0]

test('pictures, sound and film are shown, everything else is saved', (t) => {
  for (const type of [
    'image/jpeg',
    'image/png',
    'image/webp',
    'audio/mpeg',
    'audio/ogg',
    'video/mp4',
    'video/webm',
  ])
    t.is(shown(type), 'inline', type)
  for (const type of [
    'image/svg+xml',
    'text/plain',
    'text/vtt',
    'text/html',
    'application/pdf',
    'application/vnd.oasis.opendocument.text',
    'image/jpeg\r\nX: y',
  ])
    t.is(shown(type), 'attachment', type)
})

test('a file is not guessed at, and may load and run nothing', (t) => {
  const headers = serveHeaders({ type: 'text/plain', name: 'notes', extension: 'txt' })
  t.is(headers['X-Content-Type-Options'], 'nosniff')
  t.is(headers['Content-Security-Policy'], "default-src 'none'; sandbox")
  t.is(headers['Content-Type'], 'text/plain; charset=utf-8')
  t.is(headers['Content-Disposition'], 'attachment; filename="notes.txt"')
})

test('no file is a script or a style sheet, whatever a document says', (t) => {
  for (const type of ['text/javascript', 'text/css', 'text/html', 'application/json', 'image/jpeg\r\nX: y'])
    t.is(serveHeaders({ type, name: 'a', extension: 'x' })['Content-Type'], 'application/octet-stream', type)
  t.is(serveHeaders({ type: 'application/pdf', extension: 'pdf' })['Content-Type'], 'application/pdf')
})

type Answer = [headers: Record<string, string>, body: string | Buffer]

/** A server on a loopback port that ends with the test. */
async function serving(t: ExecutionContext, answer: (path: string) => Promise<Answer>): Promise<string> {
  const server = createServer((request, response) => {
    void answer(request.url?.slice(1) ?? '').then(([headers, body]) =>
      response.writeHead(200, headers).end(body),
    )
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const called = (name: string | undefined, extension = 'jpg') =>
  servedName({ type: 'image/jpeg', name, extension })

test('a name says what the file is, and nothing of where it was', (t) => {
  t.is(called('C:\\Users\\me\\photo.JPG'), 'photo.jpg')
  t.is(called('/home/me/photo.html'), 'photo.jpg')
  t.is(called('../../etc/passwd'), 'passwd.jpg')
  t.is(called('..'), 'file.jpg')
  t.is(called('.htaccess'), 'htaccess.jpg')
  t.is(called(undefined), 'file.jpg')
  t.is(called('harmless\u202Egpj.exe'), 'harmlessgpj.jpg')
  t.is(called('a\u0000b\r\nc'), 'abc.jpg')
  t.is(called('x'.repeat(500)).length, 154)
  t.is(called('Fête ☂.png'), 'Fête ☂.jpg')
  t.is(called('\uD800'), '\uFFFD.jpg')
})

const openInBrowser = hasBrowser() ? test : test.skip

openInBrowser('a browser plays and shows files in pages and by their own addresses', async (t) => {
  const folder = await testFolder(t)
  await film(folder, 'v.webm', ...PICTURE_IN, ...SOUND_IN, '-c:v', 'libvpx', '-c:a', 'libopus')
  await film(folder, 'a.opus', ...SOUND_IN, '-c:a', 'libopus')
  await halves().png().toFile(join(folder, 'p.png'))
  await writeFile(join(folder, 'c.vtt'), 'WEBVTT\n\n00:00.000 --> 00:01.000\nHello\n')
  const types: Record<string, string> = {
    webm: 'video/webm',
    opus: 'audio/ogg',
    png: 'image/png',
    vtt: 'text/vtt',
  }
  const address = await serving(t, async (name) => {
    const extension = name.split('.').at(-1) ?? ''
    const type = types[extension]
    if (!type)
      return [
        { 'Content-Type': 'text/html' },
        '<img src=p.png><video src=v.webm><track default src=c.vtt></video>',
      ]
    return [serveHeaders({ type, extension }), await readFile(join(folder, name))]
  })
  const page = await (await startBrowser(t)).newPage()
  for (const name of ['page', 'v.webm', 'a.opus', 'p.png']) {
    await page.goto(`${address}/${name}`)
    await page.waitForFunction(() => {
      const { document } = globalThis as unknown as { document: { querySelector: (name: string) => unknown } }
      const player = document.querySelector('video, audio') as {
        readyState: number
        textTracks: { cues?: object[] }[]
      } | null
      const picture = document.querySelector('img') as { naturalWidth: number } | null
      const [track] = player?.textTracks ?? []
      return (
        (!player || player.readyState > 1) &&
        (!picture || picture.naturalWidth > 0) &&
        (!track || track.cues?.length === 1)
      )
    })
  }
  t.pass()
})

test('no name gets out of its header', async (t) => {
  const names = [
    'a"; filename="evil.exe',
    'a\r\nSet-Cookie: a=b\r\n\r\n<script>',
    "a'b%22%0d%0a",
    'naïve ☂',
    'x;y=z',
    '\u2028',
    'a\\"b',
  ]
  const address = await serving(t, (path) => {
    return Promise.resolve([
      serveHeaders({ type: 'application/pdf', name: names[Number(path)], extension: 'pdf' }),
      'x',
    ])
  })
  for (const [index, name] of names.entries()) {
    const { headers } = await fetch(`${address}/${index}`)
    t.is(headers.get('set-cookie'), null, name)
    const disposition = headers.get('content-disposition') ?? ''
    t.regex(
      disposition,
      /^attachment; filename="[^"\\]*\.pdf"(?:; filename\*=UTF-8''[\w.!#$&+^`|~%-]+)?$/,
      name,
    )
  }
})
