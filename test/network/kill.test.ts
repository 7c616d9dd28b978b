import test from 'ava'
import { testOfOwnStore } from '../helpers/couchdb.ts'
import { edit, publish } from '../helpers/forms.ts'
import type { Published } from '../helpers/forms.ts'
import { startNode } from '../helpers/node.ts'
import { until } from '../helpers/wait.ts'

const KILLS = 4

test('a node killed while people publish has every article that it acknowledged', async (t) => {
  const node = await startNode(t, { HYPERACTIVE_ABUSE_LIMITS: 'off' })
  const acknowledged: { published: Published; title: string }[] = []
  for (let round = 0; round < KILLS; round += 1) {
    const writers = Array.from({ length: 3 }, async (_, writer) => {
      for (let number = 0; ; number += 1) {
        const title = `Round ${round}, writer ${writer}, number ${number}`
        // Once the node is gone a form is not answered; such an article may or may not be there.
        const published = await publish(node, { title }).catch(() => undefined)
        if (published === undefined) return
        acknowledged.push({ published, title })
      }
    })
    const enough = (round + 1) * 15
    await until('some articles are published', () => acknowledged.length >= enough)
    await node.kill()
    await Promise.all(writers)
    await node.start()
  }
  const documents = await node.siteDocuments()
  await until('the projector has caught up', async () => (await node.html('/newswire')).includes('Round'))
  for (const { published, title } of acknowledged) {
    const html = await node.html(published.path)
    t.true(html.includes(title), `${title} is missing`)
  }
  t.true(Object.keys(documents).length >= acknowledged.length)
  const [first] = acknowledged
  if (first) await edit(node, first.published, { title: 'Edited after all that' })
  t.true(
    (await node.html('/newswire')).includes('Round') &&
      (await node.html(first?.published.path ?? '')).includes('Edited after all that'),
  )
})

testOfOwnStore('a store that dies is started again, and nothing that was published is missing', async (t) => {
  const node = await startNode(t)
  const before = await publish(node, { title: 'Before' })
  const { storeProcess } = await node.processes()
  process.kill(storeProcess, 'SIGKILL')
  const after = await until('the node publishes again', () => publish(node, { title: 'After' }))
  t.not((await node.processes()).storeProcess, storeProcess)
  t.true((await node.html(before.path)).includes('Before'))
  t.true((await node.html(after.path)).includes('After'))
})

testOfOwnStore('the store ends with its node, also when the node is killed', async (t) => {
  const node = await startNode(t)
  const { storeProcess } = await node.processes()
  await node.kill()
  await until('the store is gone', () => !isAlive(storeProcess))
  t.false(isAlive(storeProcess))
})

function isAlive(processId: number): boolean {
  try {
    process.kill(processId, 0)
    return true
  } catch {
    return false
  }
}
