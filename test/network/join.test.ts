import { randomBytes } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import test from 'ava'
import { canonicalBytes, hashBytes, revisionOf } from '../../src/ledger/document.ts'
import type { Refusals } from '../../src/gateway/refusals.ts'
import type { Envelope } from '../../src/ledger/document.ts'
import { edit, publish } from '../helpers/forms.ts'
import { makeEdit } from '../helpers/keys.ts'
import { join2, startNode } from '../helpers/node.ts'
import type { TestNode } from '../helpers/node.ts'
import { until } from '../helpers/wait.ts'

async function writePosts(node: TestNode, count: number): Promise<void> {
  for (let number = 0; number < count; number += 1)
    await publish(node, { title: `Article ${number}`, tags: 'many' })
}

test('a fresh node joins with two commands and gets everything; what it publishes goes back', async (t) => {
  const old = await startNode(t)
  await writePosts(old, 12)
  const fresh = await startNode(t)
  await join2(old, fresh)
  await until(
    'everything is on the fresh node',
    async () => (await fresh.ledgerIds()).length >= (await old.ledgerIds()).length,
  )
  await until('its pages show it', async () => {
    const html = await fresh.html('/tags/many')
    return Array.from({ length: 12 }, (_, number) => `Article ${number}<`).every((title) =>
      html.includes(title),
    )
  })
  const back = await publish(fresh, { title: 'From the fresh node' })
  await until('it goes back', async () => (await old.page(back.path)).status === 200)
  await edit(old, back, { body: 'Edited by its link on another node.' })
  await until('the edit comes back', async () => (await fresh.html(back.path)).includes('Edited by its link'))

  const mode = (await stat(fresh.peers)).mode & 0o777
  t.is(mode, 0o600)
  t.false(
    (await readFile(old.peers, 'utf8')).includes(await passwordIn(fresh)),
    'the inviter keeps only a hash of it',
  )
  const { out } = await fresh.run('peer', 'list', '--json')
  const listed = JSON.parse(out) as {
    peers: { links: { direction: string; state: string; refused: number }[] }[]
  }
  t.like(listed.peers[0]?.links[0], { refused: 0 })
})

async function passwordIn(node: TestNode): Promise<string> {
  return /password: (\S+)/.exec(await readFile(node.peers, 'utf8'))?.[1] ?? 'no password'
}

test('an invitation is good for one node, once, and not when it is damaged', async (t) => {
  const [inviter, first, second] = await Promise.all([startNode(t), startNode(t), startNode(t)])
  const { out } = await inviter.run('peer', 'invite', '--name', 'newcomer')
  t.is((await first.run('peer', 'add', out.trim())).code, 0)
  const again = await second.run('peer', 'add', out.trim())
  t.is(again.code, 1)
  t.regex(again.err, /was used by another node; ask for a new one/)
  const damaged = await second.run('peer', 'add', out.trim().slice(0, -30))
  t.is(damaged.code, 1)
  t.regex(damaged.err, /the invitation is damaged/)
  t.true((await readFile(inviter.peers, 'utf8')).includes('newcomer'))
  await t.throwsAsync(stat(second.peers), { code: 'ENOENT' })
})

test('forged, altered, oversized and deleted documents are refused at the gateway, and nothing else of the batch is', async (t) => {
  const node = await startNode(t)
  const password = randomBytes(24).toString('hex')
  const peer = makeEdit(await node.key())
  await node.writePeers(
    `peers:\n  - name: hostile\n    accepts: { username: hostile, password: ${password} }\n`,
  )
  const headers = {
    authorization: `Basic ${Buffer.from(`hostile:${password}`).toString('base64')}`,
    'content-type': 'application/json',
  }
  await until('the peer may come in', async () => (await node.page('/gateway/', { headers })).status === 200)

  const key = await node.key()
  const good = [
    makeEdit(key, { fields: { title: 'Good one' } }),
    peer,
    makeEdit(key, { fields: { title: 'Good two' } }),
  ]
  const victim = makeEdit(key)
  const forged = { ...makeEdit(key), sig: victim.sig }
  const altered = { ...makeEdit(key), fields: { ...victim.fields, title: 'Altered' } }
  const rehashed = withNewHash({
    ...makeEdit(key),
    fields: { ...victim.fields, title: 'Altered and hashed again' },
  })
  const oversized = makeEdit(key, { fields: { extra: 'x'.repeat(2_100_000) } })
  const deleted = { ...makeEdit(key), _deleted: true }
  const bad = [forged, altered, rehashed, oversized, deleted]
  const docs = [good[0], ...bad, good[1], good[2]]
  const response = await node.page('/gateway/ledger/_bulk_docs', {
    method: 'POST',
    headers,
    body: JSON.stringify({ docs, new_edits: false }),
  })
  t.is(response.status, 201)
  const refused = (await response.json()) as { id: string; error: string }[]
  t.deepEqual(refused.map(({ id }) => id).sort(), bad.map(({ _id }) => _id).sort())
  t.true(refused.every(({ error }) => error === 'forbidden'))
  const ids = await node.ledgerIds()
  for (const { _id } of docs as Envelope[])
    t.is(
      ids.includes(_id),
      good.some((document) => document._id === _id),
    )
  await until('the administrator sees what was refused', async () => {
    const { refusals } = JSON.parse((await node.run('status', '--json')).out) as { refusals: Refusals }
    const [counts] = Object.values(refusals.counts)
    return counts?.forbidden === bad.length && refusals.latest.length === bad.length
  })
  t.regex((await node.run('status')).out, /5 forbidden, 0 to be tried again/)
  await until('the good ones are on the newswire', async () => {
    const html = await node.html('/newswire')
    return html.includes('Good one') && html.includes('Good two')
  })
})

/** As somebody would who knows how hashes are made, but has no key. */
function withNewHash(document: Envelope): Envelope {
  const hash = hashBytes(canonicalBytes(document))
  const _id = `${document.item}:${document.type}:${hash}`
  return { ...document, _id, _rev: revisionOf(_id) }
}
