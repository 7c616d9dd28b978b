import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect } from 'node:net'
import type { AddressInfo } from 'node:net'
import test from 'ava'
import { Live } from '../../src/live/live.ts'
import type { Scope } from '../../src/project/site.ts'
import { until } from '../helpers/wait.ts'

test('one who goes away while a listing is read takes it from nobody who waits for it, too', async (t) => {
  const scope: Scope = { view: 'listing', prefix: ['newswire'] }
  const read = Promise.withResolvers<void>()
  let count = 0
  const list = async () => {
    await read.promise
    const rows = Array.from({ length: count }, (_, number) => ({ at: `2026-01-0${number + 1}`, item: 'x' }))
    return { rows: rows.reverse() as never[] }
  }
  using live = new Live({ connections: 5, heartbeatMs: 60_000, map: '() => {}', list })
  let gone = false
  let came = 0
  const server = createServer((_, response) => {
    came += 1
    response.once('close', () => (gone = true))
    void live.tell(response, { scope, after: '', named: false })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close().closeAllConnections())
  const { port } = server.address() as AddressInfo
  const ask = async (number: number) => {
    const socket = connect(port, '127.0.0.1')
    t.teardown(() => socket.destroy())
    socket.write('GET / HTTP/1.1\r\nHost: here\r\n\r\n')
    await until('it came', () => came === number)
    return socket
  }
  const leaving = await ask(1)
  const staying = await ask(2)
  let text = ''
  staying.on('data', (chunk) => (text += String(chunk)))
  leaving.destroy()
  await until('one has gone', () => gone)
  read.resolve()
  await until('the other one is told', () => text.includes('"count":0'))
  count = 2
  live.lookAgain()
  await until('it is told again', () => text.includes('"count":2'))
  t.is(live.open, 1)
})
