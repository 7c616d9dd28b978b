import { connect } from 'node:net'
import type { Socket } from 'node:net'

/** A connection on which a test says what no client would. */
export function connectTo(address: string): Promise<Socket> {
  const { hostname, port } = new URL(address)
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname)
    socket.once('error', reject)
    socket.once('connect', () => {
      socket.off('error', reject)
      // One that is cut off is what tests look for.
      socket.on('error', () => undefined)
      resolve(socket)
    })
  })
}

/** Sends a text as it is, and gives everything that comes back until the server closes. */
export async function sayRaw(address: string, text: string): Promise<string> {
  const socket = await connectTo(address)
  socket.write(Buffer.from(text, 'latin1'))
  let answer = ''
  for await (const chunk of socket.setEncoding('latin1')) answer += String(chunk)
  return answer
}

/** One request by its target and headers, as they are; gives status and the whole answer. */
export async function askRaw(
  address: string,
  target: string,
  headers: readonly string[] = [`Host: ${new URL(address).host}`],
): Promise<{ status: number; text: string }> {
  const lines = [`GET ${target} HTTP/1.1`, ...headers, 'Connection: close', '', '']
  const text = await sayRaw(address, lines.join('\r\n'))
  return { status: Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0), text }
}
