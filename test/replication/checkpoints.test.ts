import test from 'ava'
import PouchDB from 'pouchdb-node'
import { fetch } from 'undici'
import { computeMembership } from '../../src/project/membership.ts'
import { targetDecides } from '../../src/replication/checkpoints.ts'
import type { Checkpoint } from '../../src/replication/checkpoints.ts'
import { gatewayPouch } from '../../src/replication/gateway-pouch.ts'
import { startGateway } from '../helpers/gateway.ts'
import type { TestGateway } from '../helpers/gateway.ts'
import { makeEdit } from '../helpers/keys.ts'

test('of a session that both know the target’s place counts', (t) => {
  const target = { session_id: 'b', last_seq: 5, history: [{ session_id: 'a', last_seq: 2 }] }
  const source = {
    session_id: 'b',
    last_seq: 9,
    history: [
      { session_id: 'c', last_seq: 7 },
      { session_id: 'a', last_seq: 3 },
    ],
    replicator: 'pouchdb',
  }
  t.deepEqual(targetDecides(source, target), {
    session_id: 'b',
    last_seq: 5,
    history: [
      { session_id: 'c', last_seq: 7 },
      { session_id: 'a', last_seq: 2 },
    ],
    replicator: 'pouchdb',
  })
  t.deepEqual(targetDecides(source, {}), source)
})

test('a link goes on where the target’s store stands, though the source knows it further', async (t) => {
  const [from, to] = await Promise.all([startGateway(t), startGateway(t)])
  to.membership.current = computeMembership({
    anchors: [from.key.publicKey],
    admissions: [],
    evictions: [],
  })
  const asked: string[] = []
  let checkpointId = ''
  const pouch = (gateway: TestGateway, onCheckpoint: (checkpoint: Checkpoint) => Checkpoint) =>
    gatewayPouch(
      gateway.address,
      (url, init = {}) => {
        const { pathname, searchParams } = new URL(url)
        checkpointId = /_local\/.+/.exec(pathname)?.[0] ?? checkpointId
        if (pathname.endsWith('/_changes')) asked.push(searchParams.get('since') ?? '')
        return fetch(url, {
          ...init,
          headers: { 'content-type': 'application/json', ...gateway.login('peer') },
        })
      },
      onCheckpoint,
    )
  const replicate = async () => {
    let atTarget: Checkpoint = {}
    const source = pouch(from, (checkpoint) => targetDecides(checkpoint, atTarget))
    const target = pouch(to, (checkpoint) => (atTarget = checkpoint))
    await PouchDB.replicate(source, target, { batch_size: 1, batches_limit: 1 })
  }
  for (let count = 0; count < 3; count += 1) await from.push([makeEdit(from.key)])
  await replicate()
  t.is((await to.ledger.database.info()).doc_count, 3)

  // As after a power cut: the target's last writes are gone, and what its checkpoint said of the same session with them.
  const [first, , last] = (await from.ledger.database.changes({ limit: 3 })).results
  const stored = (await (await to.request(`/ledger/${checkpointId}`)).json()) as Checkpoint
  t.is(String(stored.last_seq), String(last?.seq))
  const history = (stored.history ?? []).map((entry) => ({ ...entry, last_seq: first?.seq }))
  const body = JSON.stringify({ ...stored, last_seq: first?.seq, history })
  t.is((await to.request(`/ledger/${checkpointId}`, { method: 'PUT', body })).status, 201)
  asked.length = 0
  await replicate()
  t.is(asked[0], String(first?.seq))
  for (const gateway of [from, to]) {
    const written = (await (await gateway.request(`/ledger/${checkpointId}`)).json()) as Checkpoint
    t.is(String(written.last_seq), String(last?.seq), 'both ends know the place afterwards')
  }

  // As after a kill between the two writes of a checkpoint: the source is the one that lags, and nothing new comes.
  const lagging = (await (await from.request(`/ledger/${checkpointId}`)).json()) as Checkpoint
  const behind = (lagging.history ?? []).map((entry) => ({ ...entry, last_seq: first?.seq }))
  const stale = JSON.stringify({ ...lagging, last_seq: first?.seq, history: behind })
  t.is((await from.request(`/ledger/${checkpointId}`, { method: 'PUT', body: stale })).status, 201)
  await replicate()
  const mended = (await (await from.request(`/ledger/${checkpointId}`)).json()) as Checkpoint
  t.is(String(mended.last_seq), String(last?.seq), 'the source is told how far the target is')
})
