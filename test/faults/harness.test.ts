import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, connect } from 'node:net'
import type { AddressInfo } from 'node:net'
import test from 'ava'
import { TcpLink } from '../helpers/link.ts'
import { makeOperations } from './operations.ts'
import { TOPOLOGIES } from './topologies.ts'

test('a link that is slow in every way brings all bytes in their order', async (t) => {
  const received = createHash('sha256')
  const server = createServer((socket) => {
    socket.on('data', (chunk) => received.update(chunk))
    socket.on('end', () => socket.end(received.digest('hex')))
  }).listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await once(server, 'listening')
  await using link = await TcpLink.open((server.address() as AddressInfo).port, 7)
  link.slowness = { delayMs: 5, jitterMs: 30, loss: 0.1, bytesPerSecond: 2_000_000 }
  const sent = createHash('sha256')
  const socket = connect(Number(new URL(link.address).port), '127.0.0.1')
  const begun = performance.now()
  for (let number = 0; number < 200; number += 1) {
    const chunk = Buffer.alloc(5000, number)
    sent.update(chunk)
    socket.write(chunk)
  }
  socket.end()
  const [answer] = (await once(socket, 'data')) as [Buffer]
  t.is(answer.toString(), sent.digest('hex'))
  t.true(performance.now() - begun >= 500, 'a million bytes take half a second')
})

test('a seed gives the same operations every time, and another seed gives others', (t) => {
  const [one, again, other] = [1, 1, 2].map((seed) => makeOperations(TOPOLOGIES.ring(), seed, 50))
  t.deepEqual(one, again)
  t.notDeepEqual(one, other)
  t.deepEqual(JSON.parse(JSON.stringify(one)), one, 'they are plain JSON')
  const kinds = new Set(makeOperations(TOPOLOGIES.ring(), 3, 2000).map((operation) => operation.do))
  t.is(kinds.size, 19, 'every kind of operation occurs')
})
