import { copyFile, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { couchSpace, testOnCouchdb } from '../helpers/couchdb.ts'
import { testFolder } from '../helpers/folder.ts'
import { edit, publish } from '../helpers/forms.ts'
import { startNode, TestNode } from '../helpers/node.ts'
import { until } from '../helpers/wait.ts'

testOnCouchdb(
  'of two processes on one CouchDB one writes, the other answers readers and takes over',
  async (t) => {
    const place = couchSpace()
    t.teardown(() => place.remove())
    const first = await startNode(t, place.environment)
    const second = new TestNode(await testFolder(t), place.environment)
    t.teardown(() => second.remove())
    await mkdir(second.data, { recursive: true })
    await copyFile(join(first.data, 'node.key'), join(second.data, 'node.key'))
    await second.start()
    t.regex(second.output, /another process writes on this CouchDB/)

    const story = await publish(second, { title: 'Published by the way of the second' })
    for (const node of [first, second])
      t.true((await node.html('/newswire')).includes('Published by the way of the second'))
    for (let round = 0; round < 5; round += 1) {
      const [one, other] = round % 2 === 0 ? [first, second] : [second, first]
      await edit(one, story, { title: `Title of round ${round}` })
      t.true((await other.html('/newswire')).includes(`Title of round ${round}`))
      t.true((await other.html(story.path)).includes(`Title of round ${round}`))
    }

    await first.kill()
    await until('the second writes', () => second.output.includes('is ready'), 90_000)
    t.true((await second.html('/newswire')).includes('Title of round 4'))
    await edit(second, story, { title: 'After the take-over' })
    t.true((await second.html(story.path)).includes('After the take-over'))

    await first.start()
    t.regex(first.output, /another process writes on this CouchDB/)
    t.true((await first.html(story.path)).includes('After the take-over'))
    await second.stop()
    await until('the first writes again', () => first.output.includes('is ready'), 90_000)
    await edit(first, story, { title: 'Back again' })
    t.true((await first.html(story.path)).includes('Back again'))
  },
)

testOnCouchdb('a process with another key is not let on a CouchDB that has a node', async (t) => {
  const place = couchSpace()
  t.teardown(() => place.remove())
  await startNode(t, place.environment)
  const stranger = new TestNode(await testFolder(t), place.environment)
  const error = await t.throwsAsync(stranger.start())
  t.regex(error?.message ?? '', /belongs to another node/)
})
