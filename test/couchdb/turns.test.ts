import { copyFile, mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { connectCouch } from '../../src/couch/client.ts'
import { couchSpace, testOnCouchdb } from '../helpers/couchdb.ts'
import { testFolder } from '../helpers/folder.ts'
import { publish } from '../helpers/forms.ts'
import { openLink } from '../helpers/link.ts'
import { startNode, TestNode } from '../helpers/node.ts'
import { until } from '../helpers/wait.ts'

testOnCouchdb('a process that waits for its turn leaves no page files from when it wrote', async (t) => {
  const place = couchSpace()
  t.teardown(() => place.remove())
  const first = await startNode(t, place.environment)
  const story = await publish(first, { title: 'On disk' })
  const pages = join(first.data, 'pages')
  const files = async () => {
    const found = await readdir(pages, { recursive: true, withFileTypes: true })
    return found.filter((each) => each.isFile() && !each.name.startsWith('.')).map(({ name }) => name)
  }
  await until('it is on disk', async () => {
    await first.html(story.path)
    return (await files()).length > 0
  })
  await first.stop()
  t.true((await files()).length > 0, 'a web server answers with it meanwhile')

  const second = new TestNode(await testFolder(t), place.environment)
  t.teardown(() => second.remove())
  await mkdir(second.data, { recursive: true })
  await copyFile(join(first.data, 'node.key'), join(second.data, 'node.key'))
  await second.start()
  await until('the second writes', () => second.output.includes('is ready'))
  await first.start()
  t.regex(first.output, /another process writes on this CouchDB/)
  t.deepEqual(await files(), [])
})

testOnCouchdb(
  'a process that loses its turn while it starts ends, and does not write beside another',
  async (t) => {
    const place = couchSpace()
    t.teardown(() => place.remove())
    const link = await openLink(t, place.url)
    const url = new URL(place.url)
    url.port = new URL(link.address).port
    const node = new TestNode(await testFolder(t), { ...place.environment, COUCHDB_URL: url.href })
    t.teardown(() => node.remove())
    const ended = t.throwsAsync(node.start())
    await using couch = connectCouch(place.url, place)
    const database = couch.database('access')
    const lease = await until('it has its turn', () => database.get('writer'))
    // It starts so slowly that it hears of the other process before it is there.
    link.slowness = { delayMs: 1000 }
    const another = { ...lease, holder: 'another', process: 'another' }
    await database.put(another)
    t.regex((await ended)?.message ?? '', /another process has begun to write/)
    t.notRegex(node.output, /is ready/)
    t.is((await database.get('writer'))?.holder, 'another')
  },
)
