import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import test from 'ava'
import { serveHeaders, servedName } from '../../src/media/serve-headers.ts'

test('pictures, sound and film are shown, everything else is saved', (t) => {
  const shown = (type: string) =>
    serveHeaders({ type, name: 'a', extension: 'x' })['Content-Disposition']?.split(';')[0]
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

test('a name says what the file is, and nothing of where it was', (t) => {
  const name = (name: string | undefined, extension = 'jpg') =>
    servedName({ type: 'image/jpeg', name, extension })
  t.is(name('C:\\Users\\me\\photo.JPG'), 'photo.jpg')
  t.is(name('/home/me/photo.html'), 'photo.jpg')
  t.is(name('../../etc/passwd'), 'passwd.jpg')
  t.is(name('..'), 'file.jpg')
  t.is(name('.htaccess'), 'htaccess.jpg')
  t.is(name(undefined), 'file.jpg')
  t.is(name('harmless\u202Egpj.exe'), 'harmlessgpj.jpg')
  t.is(name('a\u0000b\r\nc'), 'abc.jpg')
  t.is(name('x'.repeat(500)).length, 154)
  t.is(name('Fête ☂.png'), 'Fête ☂.jpg')
  t.is(name('\uD800'), '\uFFFD.jpg')
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
  const server = createServer((request, response) => {
    const name = names[Number(request.url?.slice(1))]
    response.writeHead(200, serveHeaders({ type: 'application/pdf', name, extension: 'pdf' })).end('x')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
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
