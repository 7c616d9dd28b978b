import { readFile } from 'node:fs/promises'
import test from 'ava'
import { edit, publish } from '../helpers/forms.ts'
import { join2, startNode } from '../helpers/node.ts'
import type { TestNode } from '../helpers/node.ts'
import { until } from '../helpers/wait.ts'

interface Where {
  item: string
  peers: { name: string; holds: string; lag: { documents: number; seconds: number } | null }[]
}

async function where(node: TestNode, text: string): Promise<Where> {
  const { out, err } = await node.run('where', text, '--json')
  if (err) throw new Error(err)
  return JSON.parse(out) as Where
}

test('a node tells which peers hold the newest version, by their checkpoints', async (t) => {
  const [a, b] = await Promise.all([startNode(t), startNode(t)])
  await join2(a, b)
  const article = await publish(a, { title: 'On its way' })
  const arrived = await until('the peer has confirmed it', async () => {
    const told = await where(a, article.item)
    const [peer] = told.peers
    return peer?.holds === 'yes' && peer.lag?.documents === 0 && told
  })
  t.like(arrived.peers[0], { lag: { documents: 0, seconds: 0 } })
  t.regex(await a.html(`${article.path}/history`), /as far as is known, on 1 of 1 peers/)

  await b.stop()
  await edit(a, article, { title: 'On its way again' })
  const told = await where(a, a.address + article.path)
  t.like(told.peers[0], { holds: 'not-yet' })
  t.is(told.peers[0]?.lag?.documents, 1)
  t.regex(await a.html(`${article.path}/history`), /on 0 of 1 peers/)
  const { out } = await a.run('peer', 'list')
  t.regex(out, /behind by 1 documents, \d+ s/)

  await b.start()
  await until(
    'the peer has confirmed it',
    async () => (await where(a, article.item)).peers[0]?.holds === 'yes',
  )
  const nowhere = await a.run('where', 'nothing')
  t.is(nowhere.code, 1)
  t.regex(nowhere.err, /no item "nothing" on this node/)
})

test('a peer that never confirmed anything is unknown', async (t) => {
  const node = await startNode(t)
  const article = await publish(node, { title: 'Alone' })
  await node.writePeers('peers:\n  - name: oslo\n    url: http://127.0.0.1:1\n')
  const { peers } = await where(node, article.item)
  t.deepEqual(peers, [{ name: 'oslo', holds: 'unknown', lag: null }])
  const { out } = await node.run('where', article.item)
  t.regex(out, /here {2}has it\n {2}oslo {2}unknown/)
})

test('what a peer refused arrives after its cause is gone and the link starts from zero', async (t) => {
  const source = await startNode(t)
  const strict = await startNode(t, {})
  await strict.stop()
  await strict.writeConfig('limits: { documentBytes: 3000 }\n')
  await strict.start()
  await join2(source, strict)
  await publish(source, { title: 'Short' })
  const long = await publish(source, { title: 'Long', body: 'A long text. '.repeat(500) })
  await publish(source, { title: 'Short again' })
  await until('the others are there', async () => (await strict.html('/newswire')).includes('Short again'))
  t.is((await strict.page(long.path)).status, 404)
  const { out } = await strict.run('status')
  t.regex(out, /has \d+ bytes; 3000 are allowed/)

  await strict.stop()
  await strict.writeConfig('')
  await strict.start()
  await publish(source, { title: 'After the change' })
  await until('the link goes on', async () => (await strict.html('/newswire')).includes('After the change'))
  t.is((await strict.page(long.path)).status, 404, 'a refused document is skipped for good')
  const name = /name: (\S+)/.exec(await readFile(strict.peers, 'utf8'))?.[1] ?? ''
  t.is((await strict.run('peer', 'resync', name)).code, 0)
  await until('the long one has arrived', async () => (await strict.page(long.path)).status === 200)
  t.regex(await readFile(strict.peers, 'utf8'), /resync: 1/)
  const unknown = await strict.run('peer', 'resync', 'nobody')
  t.is(unknown.code, 1)
  t.regex(unknown.err, /has no peer "nobody"/)
})
