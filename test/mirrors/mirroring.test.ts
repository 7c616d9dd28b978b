import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { loadConfig } from '../../src/config/config.ts'
import { Mirroring } from '../../src/mirrors-of-node.ts'
import { testFolder } from '../helpers/folder.ts'
import { until } from '../helpers/wait.ts'

test('a page that never can be made keeps the others of a new node from no mirror', async (t) => {
  const data = await testFolder(t)
  const folder = await testFolder(t)
  await mkdir(data, { recursive: true })
  await writeFile(
    join(data, 'config.yaml'),
    `mirrors:\n  - { name: stick, kind: folder, folder: ${folder} }\n`,
  )
  const mirroring = await Mirroring.open({
    loaded: loadConfig({ data }, {}),
    site: { calendar: () => Promise.resolve({ rows: [] }), file: () => Promise.resolve(undefined) },
    blobs: { read: () => Promise.reject(new Error('there are no files')) },
    views: {},
    application(request, response) {
      response.statusCode = request.url === '/latest' ? 500 : 200
      response.end('<a href="/latest">latest</a> <a href="/newswire">newswire</a>')
    },
  })
  if (!mirroring) throw new Error('there is a mirror in the settings')
  t.teardown(() => mirroring[Symbol.asyncDispose]())
  mirroring.start()
  const page = await until('it is there', () => readFile(join(folder, 'newswire/index.html'), 'utf8'))
  t.regex(page, /latest/)
})
