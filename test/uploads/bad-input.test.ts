import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'
import test from 'ava'
import sharp from 'sharp'
import { FormData } from 'undici'
import { startNodeWith } from '../helpers/config.ts'
import { startNode } from '../helpers/node.ts'
import { startNodeHere } from '../helpers/node-here.ts'
import { run, pngSaying, zip } from '../media/clean/fixtures.ts'
import { until } from '../helpers/wait.ts'
import {
  again,
  blobsOnDisk,
  filesShown,
  onDisk,
  openForm,
  partBefore,
  sendFiles,
  tellingPhoto,
} from './helpers.ts'
import type { Chosen } from './helpers.ts'

const picture = async (colour: string): Promise<Chosen> => ({
  name: `${colour.slice(1)}.png`,
  bytes: new Uint8Array(
    await sharp({ create: { width: 8, height: 8, channels: 3, background: colour } })
      .png()
      .toBuffer(),
  ),
})

function text(name: string, bytes: number): Chosen {
  return { name, bytes: Buffer.alloc(bytes, 'a\n') }
}

function bombInside(): Buffer {
  const types =
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>'
  return zip({ '[Content_Types].xml': types, 'word/document.xml': Buffer.alloc(400 * 1024 * 1024) })
}

test('a bad file is named with what is wrong with it, the rest is taken, and all texts come back', async (t) => {
  const node = await startNodeHere(t, '')
  const photo = await tellingPhoto(t)
  const bad: [file: Chosen, said: RegExp][] = [
    [
      {
        name: 'page.jpg',
        bytes: Buffer.from('<!doctype html><script>alert(1)</script>'),
        type: 'image/jpeg',
      },
      /page\.jpg: files of this type cannot/,
    ],
    [
      { name: 'half.jpg', bytes: photo.bytes.subarray(0, photo.bytes.length / 2) },
      /half\.jpg: this file is damaged/,
    ],
    [
      { name: 'huge.png', bytes: pngSaying(100_000, 100_000) },
      /huge\.png: this file is too large, or its picture/,
    ],
    [{ name: 'bomb.docx', bytes: bombInside() }, /bomb\.docx: this file is too large/],
    [{ name: 'empty.txt', bytes: Buffer.alloc(0) }, /empty\.txt: this file is empty/],
  ]
  for (const [file, said] of bad) {
    const form = { ...(await openForm(node)), summary: `Not lost with ${file.name}`, action: 'publish' }
    const answer = await sendFiles(node, '/publish/article', form, [file, await picture('#00ff00')])
    const html = await answer.text()
    t.is(answer.status, 422, file.name)
    t.regex(html, said)
    t.is(again(html).summary, form.summary)
    t.is(filesShown(html).length, 1, 'the good file is in the form')
  }
  t.is((await blobsOnDisk(node)).length, 1, 'the same picture each time')
  t.deepEqual(
    (await onDisk(node)).filter((name) => !name.endsWith('.jpg')),
    [],
  )
})

test('a file that is two things at once is stored as the one that was decoded', async (t) => {
  const node = await startNodeHere(t, '')
  const { bytes } = await tellingPhoto(t)
  const both = Buffer.concat([bytes, zip({ 'hidden.txt': 'PRIVATE' })])
  const form = { ...(await openForm(node)), action: 'publish' }
  const answer = await sendFiles(node, '/publish/article', form, [{ name: 'both.jpg', bytes: both }])
  t.is(answer.status, 303)
  const { blobs } = node.here.media
  const [only] = (await blobs.list()).blobs
  const { stream } = await blobs.read(only?.sha256 ?? '')
  const stored = Buffer.concat(await stream.toArray()).toString('latin1')
  t.false(stored.includes('PK\u0003\u0004'))
  t.false(stored.includes('PRIVATE'))
})

test('nothing is kept of a form that is cut off, and a file of it may be under way', async (t) => {
  const node = await startNodeHere(t, '')
  const { token = '' } = await openForm(node)
  const { port } = new URL(node.address)
  const socket = connect(Number(port), '127.0.0.1')
  await once(socket, 'connect')
  const start = `${partBefore('token')}${token}\r\n${partBefore('files', '; filename="a.bin"')}`
  socket.write(
    `POST /publish/article HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 9000000\r\n\r\n${start}`,
  )
  socket.write(randomBytes(3_000_000))
  await until('some of it is on the disk', async () => (await onDisk(node)).length === 1)
  socket.destroy()
  await until('it is gone', async () => (await onDisk(node)).length === 0)
  t.deepEqual(await blobsOnDisk(node), [])
  t.is(node.here.media.uploads?.room.bytes, 0)
})

test('files are taken with this form’s own token alone, which stands before them', async (t) => {
  const node = await startNodeHere(t, '')
  const form = await openForm(node)
  const file = await picture('#123456')
  const other = (await openForm(node, 'photo')).token ?? ''
  for (const wrong of [{ token: '' }, { token: other }, { token: `${form.token}x` }]) {
    const answer = await sendFiles(node, '/publish/article', { ...form, ...wrong, action: 'publish' }, [file])
    const html = await answer.text()
    t.is(answer.status, 403)
    t.is(again(html).body, 'A text.')
    t.regex(html, /123456\.png: not taken/)
  }
  const { token = '', ...rest } = form
  const body = new FormData()
  body.append('files', new Blob([file.bytes]), file.name)
  for (const [name, value] of Object.entries({ ...rest, token, action: 'add' })) body.append(name, value)
  const late = await node.page('/publish/article', { method: 'POST', body })
  t.regex(await late.text(), /123456\.png: not taken/)
  const headers = { 'sec-fetch-site': 'cross-site' }
  const strange = new FormData()
  for (const [name, value] of Object.entries({ ...form, action: 'publish' })) strange.append(name, value)
  strange.append('files', new Blob([file.bytes]), file.name)
  t.is((await node.page('/publish/article', { method: 'POST', body: strange, headers })).status, 403)
  t.deepEqual(await blobsOnDisk(node), [])
  t.deepEqual(await onDisk(node), [])
})

test('two forms at once have their own files, and neither has the other’s', async (t) => {
  const node = await startNodeHere(t, '')
  const forms = await Promise.all([openForm(node), openForm(node, 'photo')])
  const answers = await Promise.all([
    sendFiles(node, '/publish/article', { ...forms[0], action: 'add' }, [await picture('#110000')]),
    sendFiles(node, '/publish/photo', { ...forms[1], action: 'add' }, [await picture('#001100')]),
  ])
  const [article = '', photo = ''] = await Promise.all(answers.map((answer) => answer.text()))
  const [[mine = ''], [theirs = '']] = [filesShown(article), filesShown(photo)]
  t.not(mine, theirs)
  const taken = { ...again(article), 'file-1': theirs, action: 'publish' }
  const refused = await sendFiles(node, '/publish/article', taken, [])
  t.is(refused.status, 422)
  t.regex(await refused.text(), /is not here any more/)
  t.is((await sendFiles(node, '/publish/photo', { ...again(photo), action: 'publish' }, [])).status, 303)
})

test('of 61 files the last is named as one too many, and an item has each only once', async (t) => {
  const node = await startNodeHere(t, '')
  const texts = Array.from({ length: 61 }, (_, number) => ({
    name: `${number}.txt`,
    bytes: Buffer.from(`Text ${number % 59}\n`),
  }))
  const answer = await sendFiles(
    node,
    '/publish/article',
    { ...(await openForm(node)), action: 'add' },
    texts,
  )
  const html = await answer.text()
  t.is(answer.status, 422)
  t.regex(html, /60\.txt: not taken, because there are at most 60 files/)
  t.regex(html, /59\.txt: this file is here already/)
  t.is(filesShown(html).length, 59)
})

test('what is too large, or too much for the node, is told', async (t) => {
  const node = await startNodeHere(t, 'media: { uploads: { fileBytes: 2000000, waitingBytes: 3000000 } }\n')
  const send = async (...files: Chosen[]) => {
    const answer = await sendFiles(
      node,
      '/publish/article',
      { ...(await openForm(node)), action: 'add' },
      files,
    )
    return answer.text()
  }
  t.regex(await send(text('large.txt', 2_000_001)), /large\.txt: this file is too large/)
  const html = await send(text('first.txt', 1_900_000), text('second.txt', 1_900_001))
  t.regex(html, /second\.txt: so many files are waiting here/)
  t.is(filesShown(html).length, 1)
  t.is((await onDisk(node)).length, 0)
})

test('a full disk in the middle of a file is told, nothing of it stays, and the node goes on', async (t) => {
  const node = await startNode(t)
  const limit = (bytes: number | 'unlimited') =>
    run('/', 'prlimit', '--pid', String(node.processId), `--fsize=${bytes}:`)
  const form = await openForm(node)
  const file = { name: 'long.txt', bytes: Buffer.alloc(6_000_000, 'A line of text.\n') }
  await limit(4_000_000)
  const answer = await sendFiles(node, '/publish/article', { ...form, summary: 'Kept', action: 'publish' }, [
    file,
  ])
  await limit('unlimited')
  const html = await answer.text()
  t.is(answer.status, 422, html)
  t.regex(html, /long\.txt: this node has no room for this file now/)
  t.is(again(html).summary, 'Kept')
  t.deepEqual(await onDisk(node), [])
  t.deepEqual(await blobsOnDisk(node), [])
  const later = await sendFiles(node, '/publish/article', { ...again(html), action: 'publish' }, [file])
  t.is(later.status, 303)
})

test('there is a budget of files, and one beyond it is named', async (t) => {
  const node = await startNodeWith(t, 'abuse: { upload: { atOnce: 1, perHour: 1 }, challenge: off }\n')
  const files = [await picture('#aa0000'), await picture('#00aa00')]
  const answer = await sendFiles(
    node,
    '/publish/article',
    { ...(await openForm(node)), action: 'add' },
    files,
  )
  const html = await answer.text()
  t.regex(html, /00aa00\.png: too many files are coming in/)
  t.is(filesShown(html).length, 1)
})

test('a mirror takes no files, and gives back the texts', async (t) => {
  const node = await startNodeWith(t, "mirror: { publishAt: ['https://news.example'] }\n")
  const body = new FormData()
  body.append('token', 'x')
  body.append('body', 'My whole text')
  body.append('files', new Blob(['bytes']), 'a.txt')
  const answer = await node.page('/publish/article', { method: 'POST', body })
  t.is(answer.status, 403)
  t.true((await answer.text()).includes('My whole text'))
  t.is(
    (
      await node.page('/uploads', {
        method: 'POST',
        headers: { 'tus-resumable': '1.0.0', 'upload-length': '3' },
      })
    ).status,
    403,
  )
  await t.throwsAsync(onDisk(node), { code: 'ENOENT' })
})
