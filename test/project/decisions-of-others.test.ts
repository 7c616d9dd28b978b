import { heldDocuments } from '../../src/project/held.ts'
import type { ExecutionContext } from 'ava'
import test from 'ava'
import { hybridTime } from '../../src/ledger/clock.ts'
import { hashInId, makeDocument } from '../../src/ledger/document.ts'
import type { Draft, Edit } from '../../src/ledger/document.ts'
import { NETWORK } from '../../src/ledger/item-id.ts'
import type { SigningKey } from '../../src/ledger/keys.ts'
import { startGateway } from '../helpers/gateway.ts'
import { makeEdit, newKey } from '../helpers/keys.ts'
import { project } from '../helpers/projector.ts'

/** When the one peer was let in, when it published and decided, when it was put out, and when it decided again. */
const [ADMITTED, BEFORE, EVICTED, AFTER] = [1, 2, 3, 4].map((day) => hybridTime(Date.UTC(2026, 0, day))) as [
  string,
  string,
  string,
  string,
]

/** A node with its door for peers, and what it makes of what comes in. */
async function start(t: ExecutionContext) {
  const gateway = await startGateway(t)
  const projected = await project(gateway)
  t.teardown(() => projected[Symbol.asyncDispose]())
  const { projector, site } = projected
  /** Projects what has come, and lets the gateway know who belongs to the network by now. */
  const settle = async () => {
    await projector.catchUp()
    await projector.catchUp()
    gateway.membership.current = projector.membership
  }
  return {
    ...gateway,
    site,
    settle,
    /** Another node's key, let into the network. */
    async peer(): Promise<SigningKey> {
      const key = newKey()
      const draft = { type: 'admission', item: NETWORK, key: key.publicKey } as const
      await gateway.ledger.append([{ draft, at: ADMITTED }])
      await settle()
      return key
    },
    async evict(key: SigningKey): Promise<void> {
      const draft = { type: 'eviction', item: NETWORK, key: key.publicKey } as const
      await gateway.ledger.append([{ draft, at: EVICTED }])
      await settle()
    },
    /** An article of this node. */
    async publish(author = newKey()): Promise<Edit> {
      const edit = makeEdit(gateway.key, { author, at: BEFORE })
      await gateway.push([edit])
      await settle()
      return edit
    },
    async standing(item: string) {
      return (await site.anyItem(item))?.standing
    },
    async held() {
      return (await heldDocuments(site.database, 20)).map(({ reason, document }) => ({ reason, document }))
    },
  }
}

interface Decided {
  at?: string
  author?: SigningKey
  supersedes?: string[]
  target?: string
}

function decision(
  node: SigningKey,
  item: string,
  action: string,
  { at = BEFORE, author, supersedes = [], target = item }: Decided = {},
) {
  const draft = { type: 'decision', item, target, action, supersedes } as Draft
  return makeDocument(draft, at, node, author)
}

test('a decision that was forged or altered is refused at the door', async (t) => {
  const node = await start(t)
  const peer = await node.peer()
  const { item } = await node.publish()
  const [hide, other] = [decision(peer, item, 'hide'), decision(peer, item, 'lock')]
  const stranger = decision(newKey(), item, 'hide')
  const withdrawal = decision(peer, item, 'withdraw', { author: newKey() })
  const bad: [object, RegExp][] = [
    [{ ...hide, sig: other.sig }, /signature of the node/],
    [{ ...hide, action: 'conceal' }, /id does not follow/],
    [{ ...hide, supersedes: [hashInId(other._id)] }, /id does not follow/],
    // Said to be the peer's, but signed by somebody else.
    [{ ...hide, sig: stranger.sig }, /signature of the node/],
    [{ ...withdrawal, authorSig: withdrawal.sig }, /author's signature/],
    [{ ...withdrawal, authorSig: undefined }, /author/],
  ]
  for (const [document, reason] of bad) {
    const [refused] = await node.push([document])
    t.is(refused?.error, 'forbidden', JSON.stringify(document))
    t.regex(refused?.reason ?? '', reason)
  }
  await node.settle()
  t.like(await node.standing(item), { hidden: false, locked: false, closed: undefined })
  t.deepEqual(await node.held(), [])

  t.deepEqual(await node.push([hide]), [], 'the honest one is let in')
  await node.settle()
  t.like(await node.standing(item), { hidden: true })
})

test('a stranger’s decisions are held and change nothing, until the stranger belongs to the network', async (t) => {
  const node = await start(t)
  const { item } = await node.publish()
  const own = decision(node.key, item, 'lock')
  await node.push([own])
  const stranger = newKey()
  const documents = [
    decision(stranger, item, 'conceal'),
    decision(stranger, item, 'feature'),
    decision(stranger, item, 'unlock', { supersedes: [hashInId(own._id)] }),
  ]
  t.deepEqual(await node.push(documents), [])
  await node.settle()
  t.like(await node.standing(item), { hidden: false, status: 'published', locked: true, closed: undefined })
  t.deepEqual(
    await node.held(),
    documents
      .map(({ _id }) => ({ reason: 'stranger', document: _id }))
      .sort((a, b) => (a.document < b.document ? -1 : 1)),
  )
  const draft = { type: 'admission', item: NETWORK, key: stranger.publicKey } as const
  await node.ledger.append([{ draft, at: ADMITTED }])
  await node.settle()
  t.like(await node.standing(item), {
    hidden: true,
    status: 'featured',
    locked: false,
    closed: 'concealed',
  })
  t.deepEqual(await node.held(), [])
})

test('of a key that was put out counts what it decided before, and nothing that it decided after', async (t) => {
  const node = await start(t)
  const peer = await node.peer()
  const { item } = await node.publish()
  const before = decision(peer, item, 'hide')
  const after = decision(peer, item, 'feature', { at: AFTER })
  const undo = decision(peer, item, 'unhide', { at: AFTER, supersedes: [hashInId(before._id)] })
  t.deepEqual(await node.push([before, after, undo]), [])
  await node.settle()
  t.like(await node.standing(item), { hidden: false, status: 'featured' })

  await node.evict(peer)
  t.like(await node.standing(item), { hidden: true, status: 'published' })
  t.deepEqual(
    (await node.held()).map(({ document }) => document).sort(),
    [after._id, undo._id].sort(),
    'what was decided after is held',
  )
  const late = [
    decision(peer, item, 'conceal', { at: AFTER }),
    // Nobody can tell whether what comes only now was dated back.
    decision(peer, item, 'lock'),
  ]
  const refused = await node.push(late)
  t.deepEqual(
    refused.map(({ error }) => error),
    ['forbidden', 'forbidden'],
  )
  for (const { reason } of refused) t.regex(reason, /evicted/)
  await node.settle()
  t.like(await node.standing(item), { hidden: true, locked: false, closed: undefined })
})

test('whoever withdraws with another key than the author’s is held, as is a decision that only names the author', async (t) => {
  const node = await start(t)
  const peer = await node.peer()
  const author = newKey()
  const { item } = await node.publish(author)
  const { item: other } = await node.publish()
  const comment = 'c'.repeat(40)
  const documents = [
    decision(peer, item, 'withdraw', { author: newKey() }),
    decision(node.key, item, 'withdraw'),
    decision(peer, item, 'reinstate', { author: newKey() }),
    decision(peer, other, 'withdraw', { author }),
    // An author withdraws their item, not a comment on it.
    decision(peer, item, 'withdraw', { author, target: comment }),
  ]
  t.deepEqual(await node.push(documents), [])
  await node.settle()
  for (const one of [item, other]) t.like(await node.standing(one), { hidden: false, closed: undefined })
  t.deepEqual(
    await node.held(),
    documents
      .map(({ _id }) => ({ reason: 'not-entitled', document: _id }))
      .sort((a, b) => (a.document < b.document ? -1 : 1)),
  )

  const withdrawal = decision(peer, item, 'withdraw', { author })
  t.deepEqual(await node.push([withdrawal]), [])
  await node.settle()
  t.like(await node.standing(item), { hidden: true, closed: 'withdrawn' })
  // Nobody brings it back in the author's place.
  const supersedes = [hashInId(withdrawal._id)]
  await node.push([
    decision(peer, item, 'unhide', { supersedes }),
    decision(peer, item, 'reinstate', { supersedes, author: newKey() }),
  ])
  await node.settle()
  t.like(await node.standing(item), { hidden: true, closed: 'withdrawn' })
})

test('a decision that supersedes what is another’s, no decision, or not there, does no harm', async (t) => {
  const node = await start(t)
  const peer = await node.peer()
  const [story, other] = [await node.publish(), await node.publish()]
  const hide = decision(node.key, story.item, 'hide')
  const lock = decision(node.key, story.item, 'lock')
  await node.push([hide, lock])
  await node.settle()
  const foreign = [hide, lock, story, other].map(({ _id }) => hashInId(_id))
  const nowhere = 'f'.repeat(40)
  t.deepEqual(
    await node.push([
      // On another item: the hashes are not of its decisions.
      decision(peer, other.item, 'unhide', { supersedes: foreign }),
      decision(peer, other.item, 'unlock', { supersedes: [nowhere] }),
      decision(peer, other.item, 'feature', { supersedes: [...foreign, nowhere] }),
      // On the same one: it takes nothing out of force but what is of its kind and named.
      decision(peer, story.item, 'unhide', {
        supersedes: [hashInId(story._id), hashInId(lock._id), nowhere],
      }),
      decision(peer, story.item, 'promote', { supersedes: foreign }),
      // About a comment that is not there, in the item's name.
      decision(peer, story.item, 'unhide', { target: nowhere, supersedes: foreign }),
      decision(peer, story.item, 'unhide', { target: other.item, supersedes: foreign }),
    ]),
    [],
  )
  await node.settle()
  t.like(await node.standing(story.item), { hidden: true, locked: true, status: 'promoted' })
  t.like(await node.standing(other.item), { hidden: false, locked: false, status: 'featured' })

  const [refused] = await node.push([decision(peer, story.item, 'unhide', { supersedes: ['no hash'] })])
  t.like(refused, { error: 'forbidden' })
  // What names the decision that it undoes, does.
  await node.push([decision(peer, story.item, 'unhide', { supersedes: [hashInId(hide._id)] })])
  await node.settle()
  t.like(await node.standing(story.item), { hidden: false, locked: true })
})
