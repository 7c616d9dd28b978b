import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import type { ExecutionContext } from 'ava'
import { SMTPServer } from 'smtp-server'

/** A real mail server on loopback that keeps what it is given. */
export interface MailServer {
  port: number
  /** Whole messages, headers and all. */
  messages: string[]
  recipients: string[]
  connections: number
  /** What it does from now on; one that hangs takes a message and never says so. */
  mood: 'takes' | 'refuses' | 'hangs'
}

/** Starts one that ends with the test; it asks for this name and password where they are given. */
export async function startMailServer(
  t: ExecutionContext,
  account?: { user: string; pass: string },
  host = '127.0.0.1',
): Promise<MailServer> {
  const started: MailServer = { port: 0, messages: [], recipients: [], connections: 0, mood: 'takes' }
  const server = new SMTPServer({
    disabledCommands: ['STARTTLS', ...(account ? [] : ['AUTH'])],
    allowInsecureAuth: true,
    authOptional: !account,
    onConnect(_, done) {
      started.connections += 1
      done()
    },
    onAuth({ username, password }, _, done) {
      const isKnown = username === account?.user && password === account?.pass
      done(isKnown ? null : new Error('wrong'), { user: username })
    },
    onMailFrom(_, __, done) {
      done(started.mood === 'refuses' ? new Error('go away') : null)
    },
    onData(stream, session, done) {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => {
        if (started.mood === 'hangs') return
        started.messages.push(Buffer.concat(chunks).toString('utf8'))
        started.recipients.push(...session.envelope.rcptTo.map(({ address }) => address))
        done()
      })
    },
  })
  server.on('error', () => undefined)
  const listening = server.listen(0, host)
  await once(listening, 'listening')
  started.port = (listening.address() as AddressInfo).port
  t.teardown(() => new Promise<void>((resolve) => server.close(() => resolve())))
  return started
}
