import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect } from 'node:net'
import type { AddressInfo } from 'node:net'
import test from 'ava'
import { EventStreams } from '../../src/live/event-streams.ts'
import type { EventStream } from '../../src/live/event-streams.ts'
import { until } from '../helpers/wait.ts'

test('a reader who takes nothing is cut off, and what waits for them stays bounded', async (t) => {
  using streams = new EventStreams({ most: 2, heartbeatMs: 60_000 })
  const opened: EventStream[] = []
  let waiting = 0
  const server = createServer((_, response) => {
    const stream = streams.open(response)
    if (stream) opened.push(stream)
    response.on('close', () => (waiting = response.writableLength))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo
  const reader = connect(port, '127.0.0.1')
  t.teardown(() => reader.destroy())
  reader.pause()
  reader.write('GET / HTTP/1.1\r\nHost: here\r\n\r\n')
  const stream = await until('it listens', () => opened[0])
  const event = `data: ${'x'.repeat(1000)}\n\n`
  let written = 0
  await until('it is cut off', () => {
    for (let number = 0; number < 50; number += 1) {
      if (stream.isOpen) written += event.length
      stream.write(event)
    }
    return !stream.isOpen
  })
  t.true(written > 0)
  t.true(waiting < 40_000, `${waiting} bytes`)
  t.is(streams.size, 0, 'there is room again')
})
