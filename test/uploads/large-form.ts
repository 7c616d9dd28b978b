import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { request } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { TestNode } from '../helpers/node.ts'
import { partBefore } from './helpers.ts'

export const MIB = 1024 * 1024

/** A WAV file of noise, made as it is read. */
export function* noise(bytes: number): Generator<Buffer> {
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

/** Publishes sound by a form as a browser without JavaScript does, and gives where that leads. */
export async function publishSound(
  node: Pick<TestNode, 'address'>,
  fields: Readonly<Record<string, string>>,
  bytes: number,
): Promise<{ status: number; location: string }> {
  const body = function* () {
    for (const [name, value] of Object.entries(fields)) yield Buffer.from(`${partBefore(name)}${value}\r\n`)
    yield Buffer.from(partBefore('files', '; filename="noise.wav"'))
    yield* noise(bytes)
    yield Buffer.from('\r\n--b--\r\n')
  }
  const headers = { 'content-type': 'multipart/form-data; boundary=b' }
  const sent = request(`${node.address}/publish/audio`, { method: 'POST', headers })
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; location: string }>()
  sent.on('error', reject)
  sent.on('response', (response) => {
    response.resume()
    resolve({ status: response.statusCode ?? 0, location: response.headers.location ?? '' })
  })
  await Promise.all([pipeline(Readable.from(body(), { objectMode: false }), sent), promise])
  return promise
}

/** The most memory that a process has had, in bytes. */
export async function peakOf(processId: number): Promise<number> {
  const status = await readFile(`/proc/${processId}/status`, 'utf8')
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) * 1024
}
