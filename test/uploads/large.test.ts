import { createHash, randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { request } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import test from 'ava'
import { startNode } from '../helpers/node.ts'
import { openForm } from './helpers.ts'

const MIB = 1024 * 1024
const SOUND_BYTES = 384 * MIB
const HEAP_MIB = 96

/** A WAV file of noise, made as it is read. */
function* noise(bytes: number): Generator<Buffer> {
  const head = Buffer.alloc(44)
  head.write('RIFF')
  head.writeUInt32LE(bytes + 36, 4)
  head.write('WAVEfmt ', 8)
  head.writeUInt32LE(16, 16)
  head.writeUInt16LE(1, 20)
  head.writeUInt16LE(2, 22)
  head.writeUInt32LE(44_100, 24)
  head.writeUInt32LE(176_400, 28)
  head.writeUInt16LE(4, 32)
  head.writeUInt16LE(16, 34)
  head.write('data', 36)
  head.writeUInt32LE(bytes, 40)
  yield head
  const block = randomBytes(MIB)
  for (let at = 0; at < bytes; at += MIB) {
    block.writeUInt32LE(at, 0)
    yield Buffer.from(block.subarray(0, Math.min(MIB, bytes - at)))
  }
}

/** The most memory that a process has had, in bytes. */
async function peakOf(processId: number): Promise<number> {
  const status = await readFile(`/proc/${processId}/status`, 'utf8')
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) * 1024
}

const withFfmpeg = existsSync('/usr/bin/ffmpeg') ? test : test.skip
withFfmpeg('a file that is much larger than the heap goes through a form without being in memory', async (t) => {
  t.timeout(300_000)
  const node = await startNode(t, { NODE_OPTIONS: `--max-old-space-size=${HEAP_MIB}` })
  const fields = { ...(await openForm(node, 'audio')), action: 'publish' }
  const before = await peakOf(node.processId)
  const part = (name: string, more = '') => `--b\r\nContent-Disposition: form-data; name="${name}"${more}\r\n\r\n`
  const body = function* () {
    for (const [name, value] of Object.entries(fields)) yield Buffer.from(`${part(name)}${value}\r\n`)
    yield Buffer.from(part('files', '; filename="noise.wav"'))
    yield* noise(SOUND_BYTES)
    yield Buffer.from('\r\n--b--\r\n')
  }
  const sent = request(`${node.address}/publish/audio`, {
    method: 'POST',
    headers: { 'content-type': 'multipart/form-data; boundary=b' },
  })
  const answer = new Promise<{ status: number | undefined; location: string }>((resolve, reject) => {
    sent.on('error', reject)
    sent.on('response', (response) => {
      response.resume()
      resolve({ status: response.statusCode, location: response.headers.location ?? '' })
    })
  })
  await pipeline(Readable.from(body(), { objectMode: false }), sent)
  const { status, location } = await answer
  t.is(status, 303)
  const grown = (await peakOf(node.processId)) - before
  t.true(grown < 160 * MIB, `the node took ${Math.round(grown / MIB)} MiB more than before`)
  const [, path = ''] = /^(\/audio\/[^/]+)\/published/.exec(location) ?? []
  const [item = ''] = path.split('/').slice(-1)
  const { fields: saved } = (await (await node.page(`/api/v1/items/${item}`)).json()) as {
    fields: { files: { file: string }[] }
  }
  const file = await node.page(`/files/${saved.files[0]?.file ?? ''}.wav`)
  t.is(file.status, 200)
  const hash = createHash('sha256')
  let bytes = 0
  for await (const chunk of file.body ?? []) {
    hash.update(chunk as Uint8Array)
    bytes += (chunk as Uint8Array).length
  }
  t.is(hash.digest('hex'), saved.files[0]?.file)
  t.true(bytes >= SOUND_BYTES)
})
