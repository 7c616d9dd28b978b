import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { once } from 'node:events'
import test from 'ava'
import { wordingOf } from '../../src/i18n/wording.ts'
import { mail } from '../../src/newsroom/notices/mail.ts'
import { Notices } from '../../src/newsroom/notices/notices.ts'
import type { NoticesOptions } from '../../src/newsroom/notices/notices.ts'
import { webhook } from '../../src/newsroom/notices/webhook.ts'
import { startFeedServer } from '../helpers/feed-server.ts'
import { startMailServer } from '../helpers/mail-server.ts'
import { startOffice } from '../helpers/office.ts'
import { until } from '../helpers/wait.ts'

const OFFICE = 'https://news.example.org/office'
const MINUTE_MS = 60_000

/** Mail to two moderators by a server on this port. */
function mailBy(port: number, more: { timeoutMs?: number; user?: string } = {}) {
  const { user = '', ...rest } = more
  return mail({
    server: `smtp://${user}127.0.0.1:${port}`,
    from: 'node@news.example.org',
    to: ['ada@example.org', 'bob@example.org'],
    site: 'Newsé',
    office: OFFICE,
    wording: wordingOf('en'),
    ...rest,
  })
}

async function noticesOf(
  t: Parameters<typeof startOffice>[0],
  channels: NoticesOptions['channels'],
  more: Partial<NoticesOptions> = {},
) {
  const office = await startOffice(t)
  const time = { nowMs: Date.now() }
  const options = {
    queue: office.queue,
    office: office.store.couch.database('office'),
    channels,
    everyMs: 15 * MINUTE_MS,
    now: () => time.nowMs,
    ...more,
  }
  const notices = new Notices(options)
  t.teardown(() => notices[Symbol.asyncDispose]())
  return { ...office, notices, time, options }
}

/** What a mail's text says, whatever its encoding was. */
function bodyOf(message: string): string {
  const [head = '', ...body] = message.split('\r\n\r\n')
  const text = body.join('\r\n\r\n')
  return /base64/i.test(head)
    ? Buffer.from(text, 'base64').toString()
    : text
        .replaceAll('=\r\n', '')
        .replaceAll(/(?:=[0-9A-F]{2})+/g, (hex) => Buffer.from(hex.replaceAll('=', ''), 'hex').toString())
}

test('ten thousand reports make one mail, with numbers and the link and no text', async (t) => {
  const server = await startMailServer(t)
  const { queue, notices, time, publish, store } = await noticesOf(t, [mailBy(server.port)])
  await notices.look()
  t.is(server.messages.length, 0, 'nothing waits, nothing is sent')
  const items = await publish({ title: 'Secret title' }, { title: 'Another' })
  for (const target of items) await queue.reports.add({ target, reason: 'Secret reason' })
  const many = Array.from({ length: 10_000 }, (_, n) => ({
    _id: `report:${n.toString(16).padStart(32, '0')}`,
    type: 'report',
    target: items[n % 2],
    at: '2026-11-24',
  }))
  await store.couch.database('office').bulkDocs(many)
  await notices.look()
  await notices.look()
  t.is(server.messages.length, 1)
  const [message = ''] = server.messages
  t.deepEqual(server.recipients.sort(), ['ada@example.org', 'bob@example.org'])
  t.true(bodyOf(message).includes('2 reports to look at'))
  t.true(bodyOf(message).includes(OFFICE))
  t.false(/Secret/.test(message + bodyOf(message)))
  t.regex(message, /^Subject: .*UTF-8/m)

  // What comes within a quarter of an hour is told after it, once.
  const [third = ''] = await publish({ title: 'Third' })
  await queue.reports.add({ target: third, category: 'spam' })
  time.nowMs += 14 * MINUTE_MS
  await notices.look()
  t.is(server.messages.length, 1)
  time.nowMs += 2 * MINUTE_MS
  await notices.look()
  t.is(server.messages.length, 2)
  t.true(bodyOf(server.messages[1] ?? '').includes('3 reports to look at'))
  time.nowMs += 60 * MINUTE_MS
  await notices.look()
  t.is(server.messages.length, 2, 'nothing is new')
  // What is done with is forgotten: when it comes again it is new.
  await queue.reports.close([third])
  await notices.look()
  await queue.reports.add({ target: third, category: 'spam' })
  await notices.look()
  t.is(server.messages.length, 3)
})

test('a server that refuses or hangs is tried again after longer and longer pauses, and the notice is not lost', async (t) => {
  const server = await startMailServer(t)
  const channel = mailBy(server.port, { timeoutMs: 500 })
  const { queue, notices, time, publish } = await noticesOf(t, [channel], { firstPauseMs: 1000 })
  const [item = ''] = await publish({})
  await queue.reports.add({ target: item, category: 'spam' })
  server.mood = 'refuses'
  await notices.look()
  server.mood = 'hangs'
  const begunMs = Date.now()
  await notices.look()
  time.nowMs += 1001
  await notices.look()
  t.true(Date.now() - begunMs < 20_000, 'it does not wait for ever')
  server.mood = 'takes'
  time.nowMs += 1500
  await notices.look()
  t.is(server.messages.length, 0, 'the second pause is twice as long')
  time.nowMs += 600
  await notices.look()
  t.is(server.messages.length, 1)
  await notices.look()
  t.is(server.messages.length, 1)
})

test('a server that says nothing at all, or is not there, costs no more than the time limit', async (t) => {
  const silent = createServer(() => undefined).listen(0, '127.0.0.1')
  await once(silent, 'listening')
  t.teardown(() => silent.close())
  const { port } = silent.address() as AddressInfo
  const signal = new AbortController().signal
  const counts = { waiting: 1, reported: 0, matched: 0 }
  const hung = mailBy(port, { timeoutMs: 300 }).send(counts, signal)
  await t.throwsAsync(hung, { code: 'mail_failed' })
  const closed = await startMailServer(t)
  const nobody = mailBy(closed.port === 1 ? 2 : 1, { timeoutMs: 5000 }).send(counts, signal)
  await t.throwsAsync(nobody, { code: 'mail_failed' })
  // A node that stops waits for nobody.
  const stop = new AbortController()
  const stopped = mailBy(port).send(counts, stop.signal)
  stop.abort()
  await t.throwsAsync(stopped, { code: 'mail_failed' })
})

test('name and password go to a server on this machine, and elsewhere never in the open', async (t) => {
  const server = await startMailServer(t, { user: 'node', pass: 'p@ss' })
  const signal = new AbortController().signal
  const counts = { waiting: 2, reported: 0, matched: 3 }
  await mailBy(server.port, { user: 'node:p%40ss@' }).send(counts, signal)
  t.regex(bodyOf(server.messages[0] ?? ''), /2 texts await review\r?\n3 matches of filters/)
  const error = await t.throwsAsync(mailBy(server.port, { user: 'node:wrong@' }).send(counts, signal))
  t.false(/wrong|p@ss|example/.test(`${error.message} ${error.stack}`))
  // One that counts as another machine, and offers no encryption.
  const other = await startMailServer(t, { user: 'node', pass: 'p@ss' }, '127.0.0.2')
  const elsewhere = mail({
    server: `smtp://node:p%40ss@127.0.0.2:${other.port}`,
    from: 'node@news.example.org',
    to: ['ada@example.org'],
    site: 'News',
    office: OFFICE,
    wording: wordingOf('en'),
    timeoutMs: 5000,
  })
  await t.throwsAsync(elsewhere.send(counts, signal), { code: 'mail_failed' })
  t.is(other.connections, 1)
  t.deepEqual(other.messages, [])
})

test('a webhook gets the numbers as JSON, and each channel is tried by itself', async (t) => {
  const server = await startMailServer(t)
  const hook = await startFeedServer(t)
  const bodies: string[] = []
  let status = 500
  hook.answer = (request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      bodies.push(body)
      response.writeHead(status, { location: '/elsewhere' }).end()
    })
  }
  const channels = [
    mailBy(server.port),
    webhook({ address: `${hook.origin}/hook?key=secret`, site: 'News', office: OFFICE }),
  ]
  const { queue, notices, time, publish } = await noticesOf(t, channels, { firstPauseMs: 1000 })
  const [item = ''] = await publish({})
  await queue.reports.add({ target: item, reason: 'Secret' })
  await notices.look()
  status = 302
  time.nowMs += 1001
  await notices.look()
  t.is(bodies.length, 2, 'a redirect is not followed')
  status = 204
  time.nowMs += 2001
  await notices.look()
  t.is(server.messages.length, 1, 'who has taken it gets it once')
  t.deepEqual(JSON.parse(bodies.at(-1) ?? ''), {
    site: 'News',
    url: OFFICE,
    counts: { waiting: 0, reported: 1, matched: 0 },
  })
  t.is(hook.requests.at(-1)?.url, '/hook?key=secret')
  hook.answer = () => undefined
  const slow = webhook({ address: hook.origin, site: '', office: OFFICE, timeoutMs: 200 })
  const sent = slow.send({ waiting: 1, reported: 0, matched: 0 }, new AbortController().signal)
  await t.throwsAsync(sent, { code: 'webhook_failed' })
})

test('a restart neither repeats a notice nor forgets the pause between two', async (t) => {
  const server = await startMailServer(t)
  const { queue, notices, time, publish, options } = await noticesOf(t, [mailBy(server.port)])
  const [item = '', other = ''] = await publish({}, {})
  await queue.reports.add({ target: item, category: 'spam' })
  await notices.look()
  time.nowMs += 60 * MINUTE_MS
  await new Notices(options).look()
  t.is(server.messages.length, 1, 'nothing is new')
  await queue.reports.add({ target: other, category: 'spam' })
  const again = new Notices(options)
  await again.look()
  t.is(server.messages.length, 2)
  const [third = ''] = await publish({})
  await queue.reports.add({ target: third, category: 'spam' })
  await new Notices(options).look()
  t.is(server.messages.length, 2, 'not so soon')
  time.nowMs += 16 * MINUTE_MS
  const running = new Notices({ ...options, lookMs: 20 })
  running.start()
  await until('it is told', () => server.messages.length === 3)
  await running[Symbol.asyncDispose]()
})
