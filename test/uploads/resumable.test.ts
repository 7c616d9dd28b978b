import { createHash } from 'node:crypto'
import test from 'ava'
import { Upload } from 'tus-js-client'
import { startNodeWith } from '../helpers/config.ts'
import { filesWith } from '../helpers/disk.ts'
import { startNode } from '../helpers/node.ts'
import type { TestNode } from '../helpers/node.ts'
import { startNodeHere } from '../helpers/node-here.ts'
import { until } from '../helpers/wait.ts'
import { blobsOnDisk, onDisk, openForm, sendFiles } from './helpers.ts'

/** A text that is long enough to be cut in half. */
const LONG = Buffer.alloc(12_000_000, 'A line of a long text.\n')
const HALF = 6_000_000

function text(name: string) {
  return { name, bytes: Buffer.from(`${name}\n`) }
}

function metadata(form: string, key: string): string {
  return `form ${btoa(form)},token ${btoa(key)},name ${btoa('a.txt')}`
}

interface Sending {
  upload: Upload
  done: Promise<void>
  url: () => string
}

function sending(node: TestNode, token: string, { stopAt }: { stopAt?: number } = {}): Sending {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const upload = new Upload(LONG, {
    endpoint: `${node.address}/uploads`,
    metadata: { form: '/publish/article', token, name: 'Vera’s long text.txt' },
    chunkSize: 2_000_000,
    retryDelays: null,
    onError: reject,
    onSuccess: () => resolve(),
    onChunkComplete: (_, sent) => {
      if (stopAt !== undefined && sent >= stopAt) void upload.abort().then(() => resolve())
    },
  })
  return { upload, done: promise, url: () => upload.url ?? '' }
}

interface State {
  state: string
  problem?: string
}

async function ready(node: TestNode, id: string): Promise<State> {
  return until('it has been made clean', async () => {
    const answer = await node.page(`/uploads/${id}/state`)
    const state = (await answer.json()) as State
    return ['ready', 'refused'].includes(state.state) ? state : undefined
  })
}

test('an upload that is cut in half goes on, also after the node was killed, and is published', async (t) => {
  const node = await startNode(t)
  const form = await openForm(node)
  const first = sending(node, form.token ?? '', { stopAt: HALF })
  first.upload.start()
  await first.done
  const id = first.url().split('/').at(-1) ?? ''
  t.regex(id, /^[0-9a-f]{32}$/)
  await node.kill()
  t.deepEqual(
    (await filesWith(node.data, form.token ?? '', '/publish/article')).filter((name) =>
      name.startsWith('uploads'),
    ),
    [],
    'nothing on the disk says which form it is for',
  )
  await node.start()
  const head = await node.page(`/uploads/${id}`, { method: 'HEAD', headers: { 'tus-resumable': '1.0.0' } })
  const offset = Number(head.headers.get('upload-offset'))
  t.true(offset >= HALF && offset < LONG.length, `${offset} bytes are there`)
  t.is(head.headers.get('upload-metadata'), null)
  const second = sending(node, form.token ?? '')
  second.upload.options.uploadUrl = `${node.address}/uploads/${id}`
  second.upload.start()
  await second.done
  t.is((await ready(node, id)).state, 'ready')
  const answer = await sendFiles(node, '/publish/article', { ...form, 'file-1': id, action: 'publish' }, [])
  t.is(answer.status, 303, await answer.text())
  const sha256 = createHash('sha256').update(LONG).digest('hex')
  t.is((await blobsOnDisk(node)).filter((path) => path.endsWith(sha256)).length, 1)
  t.deepEqual(await onDisk(node), [])
})

test('a node that is killed while it cleans a file begins that anew', async (t) => {
  const node = await startNode(t)
  const { token = '' } = await openForm(node)
  const { upload, done, url } = sending(node, token)
  upload.start()
  await done
  const id = url().split('/').at(-1) ?? ''
  await node.kill()
  await node.start()
  t.is((await ready(node, id)).state, 'ready')
  t.is((await blobsOnDisk(node)).length, 1)
})

test('what has expired is gone after a restart with its blob, but not what an item has', async (t) => {
  const node = await startNodeHere(t, 'media: { uploads: { hours: 1 } }\n')
  const form = await openForm(node)
  await sendFiles(node, '/publish/article', { ...form, action: 'add' }, [text('waits'), text('published')])
  await sendFiles(node, '/publish/article', { ...(await openForm(node)), action: 'publish' }, [
    text('published'),
  ])
  t.is((await blobsOnDisk(node)).length, 2)
  const { uploads } = node.here.media
  await uploads?.sweep(Date.now() + 59 * 60_000)
  t.is((await blobsOnDisk(node)).length, 2)
  await uploads?.sweep(Date.now() + 61 * 60_000)
  const [left = ''] = await blobsOnDisk(node)
  t.is((await blobsOnDisk(node)).length, 1)
  t.true(left.endsWith(createHash('sha256').update('published\n').digest('hex')))
  t.is(uploads?.room.bytes, 0)
  await node.stop()
  await node.start()
  t.is((await blobsOnDisk(node)).length, 1)
})

test('an upload that is taken back is gone, and what is asked wrongly is answered clearly', async (t) => {
  const node = await startNodeWith(t, 'media: { uploads: { fileBytes: 13000000 } }\n')
  const { token = '' } = await openForm(node)
  const half = sending(node, token, { stopAt: HALF })
  half.upload.start()
  await half.done
  await half.upload.abort(true)
  t.deepEqual(await onDisk(node), [])
  const tus = { 'tus-resumable': '1.0.0' }
  t.is((await node.page(new URL(half.url()).pathname, { method: 'HEAD', headers: tus })).status, 410)
  const begin = (size: string, upload: string, more: Record<string, string> = {}) =>
    node.page('/uploads', {
      method: 'POST',
      headers: { ...tus, 'upload-length': size, 'upload-metadata': upload, ...more },
    })
  t.is((await begin('10', metadata('/publish/article', 'no'))).status, 403)
  t.is((await begin('10', metadata('/publish/photo', token))).status, 403)
  t.is(
    (await begin('10', metadata('/publish/article', token), { 'sec-fetch-site': 'cross-site' })).status,
    403,
  )
  const large = await begin('13000001', metadata('/publish/article', token))
  t.is(large.status, 413)
  t.is(await large.text(), 'a.txt: this file is too large.')
  t.is(large.headers.get('access-control-allow-origin'), null)
  t.is((await begin('0', metadata('/publish/article', token))).status, 422)
  t.is((await begin('-1', metadata('/publish/article', token))).status, 410)
  t.is((await node.page('/uploads/../../etc', { method: 'HEAD', headers: tus })).status, 404)
  t.is((await node.page(`/uploads/${'0'.repeat(32)}/state`)).status, 410)
  t.deepEqual(await onDisk(node), [])
})
