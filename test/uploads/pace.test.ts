import { once } from 'node:events'
import { setInterval as every } from 'node:timers/promises'
import test from 'ava'
import { request } from 'node:http'
import { listen } from '../../src/web/listen.ts'

test('whoever sends files takes their time, but not as slowly as that', async (t) => {
  const listening = await listen(
    (asked, answer) => {
      asked.resume().on('end', () => answer.end('whole'))
    },
    { host: '127.0.0.1', port: 0, bodyMs: 200, slowMs: 400 },
  )
  t.teardown(() => listening[Symbol.asyncDispose]())
  const send = async (path: string, type: string, bytesAtOnce: number): Promise<string> => {
    const sent = request(listening.address + path, { method: 'POST', headers: { 'content-type': type } })
    const outcome = Promise.race([
      once(sent, 'response').then(() => 'taken'),
      once(sent, 'error').then(() => 'let go'),
    ])
    let parts = 0
    for await (const _ of every(100)) {
      if (sent.destroyed || parts++ === 12) break
      sent.write(Buffer.alloc(bytesAtOnce))
    }
    sent.end()
    return outcome.catch(() => 'let go')
  }
  const form = 'multipart/form-data; boundary=b'
  const outcomes = await Promise.all([
    send('/publish/article', form, 20_000),
    send('/uploads/x', 'application/offset+octet-stream', 20_000),
    send('/es/uploads/x', 'application/offset+octet-stream', 20_000),
    send('/api/v1/files', 'application/octet-stream', 20_000),
    send('/publish/article', form, 20),
    send('/publish/article', 'application/x-www-form-urlencoded', 20_000),
  ])
  t.deepEqual(outcomes, ['taken', 'taken', 'taken', 'taken', 'let go', 'let go'])
})
