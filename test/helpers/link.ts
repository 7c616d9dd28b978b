import { createServer, connect } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import type { ExecutionContext } from 'ava'

/** A TCP link to a server that the test can cut, or turn half-open: bytes go in and none come out. */
export interface ControlledLink {
  readonly address: string
  cut(): void
  blackHole(): void
  heal(): void
}

export async function openLink(t: ExecutionContext, target: string): Promise<ControlledLink> {
  const port = Number(new URL(target).port)
  const sockets = new Set<Socket>()
  let mode: 'open' | 'cut' | 'black-hole' = 'open'
  const server = createServer((near) => {
    if (mode === 'cut') {
      near.destroy()
      return
    }
    const far = connect(port, '127.0.0.1')
    for (const socket of [near, far]) {
      sockets.add(socket)
      socket.on('error', () => socket.destroy())
      socket.on('close', () => {
        sockets.delete(socket)
        near.destroy()
        far.destroy()
      })
    }
    near.on('data', (chunk) => mode === 'open' && far.write(chunk))
    far.on('data', (chunk) => mode === 'open' && near.write(chunk))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const end = () => {
    for (const socket of sockets) socket.destroy()
  }
  t.teardown(() => {
    end()
    server.close()
  })
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut() {
      mode = 'cut'
      end()
    },
    blackHole() {
      mode = 'black-hole'
    },
    heal() {
      mode = 'open'
    },
  }
}
