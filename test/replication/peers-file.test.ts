import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import * as fc from 'fast-check'
import { freeName, putPeer, removePeer } from '../../src/replication/edit-peers.ts'
import {
  formatInvitation,
  Invitations,
  isInvitation,
  parseInvitation,
} from '../../src/replication/invitations.ts'
import { nameFor } from '../../src/replication/join.ts'
import { pauseBefore } from '../../src/replication/pause.ts'
import { loadPeers, parsePeers } from '../../src/replication/peers-file.ts'
import { testFolder } from '../helpers/folder.ts'
import { newKey } from '../helpers/keys.ts'

const EXAMPLES = join(import.meta.dirname, '../../replication')

test('no file is no peers, and defaults are filled in', async (t) => {
  t.deepEqual(await loadPeers(join(await testFolder(t), 'none.yaml')), [])
  t.deepEqual(await parsePeers('', 'p.yaml'), [])
  const [peer] = await parsePeers('peers:\n  - name: athens\n    url: https://athens.example/\n', 'p.yaml')
  t.deepEqual(peer, {
    name: 'athens',
    url: 'https://athens.example',
    direction: 'both',
    enabled: true,
    resync: 0,
    people: false,
  })
})

test('what is wrong is told with its line and reason', async (t) => {
  const wrong: [string, RegExp][] = [
    ['peers:\n  - name: a\n    colour: red\n', /^p\.yaml:3: .*"colour" is not a setting of a peer/],
    ['peers:\n  - name: a\n\n    url: not-an-address\n', /^p\.yaml:4: peers\.0\.url must be the http/],
    ['peers:\n  - name: A b\n', /^p\.yaml:2: peers\.0\.name must be/],
    ['peers:\n  - name: a\n  - name: b\n    direction: sideways\n', /^p\.yaml:4: /],
    ['peers:\n  - name: a\n  - name: a\n', /^p\.yaml:3: the name "a" occurs twice/],
    ['peers:\n  - name: [\n', /^p\.yaml:\d+: /],
    ['peers: 5\n', /^p\.yaml:1: /],
    ['peers:\n  - name: a\n    url: https://me:secret@a.example\n', /must hold no password/],
    ['peers:\n  - name: a\n    key: short\n', /^p\.yaml:3: .*public key/],
    [
      'peers:\n  - name: a\n    credentials: { file: nowhere.yaml }\n',
      /^p\.yaml:3: the credentials file .*nowhere\.yaml/,
    ],
    ['peers:\n  - name: a\n    credentials: { username: b, password: short }\n', /^p\.yaml:3: /],
  ]
  for (const [text, message] of wrong) {
    await t.throwsAsync(parsePeers(text, 'p.yaml'), { code: 'bad_peers_file', message }, text)
  }
})

test('credentials may stand in a file of their own', async (t) => {
  const folder = await testFolder(t)
  await writeFile(join(folder, 'secret.yaml'), 'username: me\npassword: a-password-of-some-length\n')
  const [peer] = await parsePeers(
    'peers:\n  - name: a\n    credentials: { file: secret.yaml }\n',
    join(folder, 'p.yaml'),
  )
  t.deepEqual(peer?.credentials, { username: 'me', password: 'a-password-of-some-length' })
})

test('editing leaves comments and other blocks alone, and writes for the owner only', async (t) => {
  const path = join(await testFolder(t), 'deep', 'peers.yaml')
  await putPeer(path, { name: 'first', url: 'https://first.example' })
  const text =
    '# Ask Maria before you change this.\npeers:\n  # the old one\n  - name: athens # since 2019\n    url: https://athens.example\n'
  await writeFile(path, text)
  await Promise.all(
    ['b', 'c', 'd', 'e'].map((name) => putPeer(path, { name, url: `https://${name}.example` })),
  )
  t.deepEqual((await loadPeers(path)).map(({ name }) => name).sort(), ['athens', 'b', 'c', 'd', 'e'])
  for (const name of ['b', 'c', 'd', 'e']) await removePeer(path, name)
  t.is(await readFile(path, 'utf8'), text)
  t.is((await stat(path)).mode & 0o777, 0o600)
  await t.throwsAsync(removePeer(path, 'nobody'), { code: 'unknown_peer' })
  await t.throwsAsync(putPeer(path, { name: 'bad', colour: 'red' }), { code: 'bad_peers_file' })
  t.is(await readFile(path, 'utf8'), text, 'an edit that would not be valid is not written')
  t.is(await freeName(path, 'athens'), 'athens-2')
})

test('every example and topology is valid', async (t) => {
  const topologies = (await readdir(join(EXAMPLES, 'topologies'))).map((file) =>
    join(EXAMPLES, 'topologies', file),
  )
  t.deepEqual((await readdir(join(EXAMPLES, 'topologies'))).sort(), [
    'hub.yaml',
    'mesh.yaml',
    'mirror.yaml',
    'pair.yaml',
    'ring.yaml',
    'standby.yaml',
  ])
  for (const file of [join(EXAMPLES, 'peers.example.yaml'), ...topologies]) {
    t.true((await loadPeers(file)).length > 0, file)
    t.true((await readFile(file, 'utf8')).startsWith('#'), `${file} explains itself`)
  }
})

test('pauses grow, are capped and differ', (t) => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 1000 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (failures, random) => {
        const pauseMs = pauseBefore(failures, 30_000, () => random)
        t.true(pauseMs >= 250 && pauseMs <= 30_000)
      },
    ),
  )
  t.is(
    pauseBefore(1, 30_000, () => 0),
    500,
  )
  t.is(
    pauseBefore(4, 30_000, () => 0),
    4000,
  )
  t.is(
    pauseBefore(50, 30_000, () => 0),
    30_000,
  )
  t.is(
    pauseBefore(50, 30_000, () => 1),
    15_000,
  )
})

test('an invitation is one line; its token is kept as a hash, and spent once per key', async (t) => {
  const folder = await testFolder(t)
  const invitations = new Invitations(folder)
  const from = { url: 'https://a.example', key: newKey().publicKey }
  const line = await invitations.create(from, { name: 'b', days: 1 })
  t.true(isInvitation(line))
  t.regex(line, /^[\w:-]+$/)
  const parsed = parseInvitation(line)
  t.like(parsed, from)
  t.is(formatInvitation(parsed), line)
  t.false((await readFile(join(folder, 'invitations.json'), 'utf8')).includes(parsed.token))
  const [one, two] = await Promise.allSettled([
    invitations.spend(parsed.token, 'key one'),
    invitations.spend(parsed.token, 'key two'),
  ])
  t.deepEqual([one.status, two.status], ['fulfilled', 'rejected'])
  t.is(await invitations.spend(parsed.token, 'key one'), 'b', 'the same node may come again')
  await t.throwsAsync(invitations.spend('unknown', 'key'), { code: 'invitation_refused' })
  const expired = parseInvitation(await invitations.create(from, { days: -1 }))
  await t.throwsAsync(invitations.spend(expired.token, 'key'), { message: /has expired/ })
  t.throws(() => parseInvitation(line.slice(0, -9)), { code: 'bad_invitation' })
})

test('a peer’s name comes from its address', (t) => {
  t.is(nameFor('https://News.Example.org', 'k'), 'news-example-org')
  t.is(nameFor('http://127.0.0.1:8081', 'k'), '127-0-0-1-8081')
  t.regex(nameFor(undefined, newKey().publicKey), /^node-[a-z0-9]+$/)
})
