import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { testFolder } from '../helpers/folder.ts'
import { formFields, publish } from '../helpers/forms.ts'
import { join2, startNode, TestNode } from '../helpers/node.ts'
import { invite, setUp } from '../helpers/people.ts'
import { until } from '../helpers/wait.ts'

test('what is published on one node is on the mirrors of another, and what is hidden is off them', async (t) => {
  const a = await startNode(t)
  const place = await testFolder(t)
  const folder = join(place, 'site')
  await mkdir(folder)
  const b = new TestNode(await testFolder(t))
  t.teardown(() => b.remove())
  await mkdir(b.data, { recursive: true })
  await b.writeConfig(`mirrors:\n  - { name: stick, kind: folder, folder: ${folder} }\n`)
  await b.start()
  await join2(a, b)
  const read = (path: string) => readFile(join(folder, path), 'utf8').catch(() => '')
  const { item, path } = await publish(a, { title: 'A story for the stick', body: 'Words.' })
  await until(
    'it is on the mirror',
    async () => (await read('newswire/index.html')).includes('A story for the stick'),
    60_000,
  )
  await until(
    'with its page',
    async () => (await read(`${path.slice(1)}/index.html`)).includes('Words.'),
    60_000,
  )

  const status = await b.run('status')
  t.regex(status.out, /mirrors +1\n {2}stick {2}folder/)
  const verified = await b.run('mirror', 'verify')
  t.is(verified.code, 0, verified.out + verified.err)

  const moderator = await invite(a, await setUp(a), 'mod', { roles: ['moderator'] })
  const form = formFields(await moderator.html(`/moderate/${item}`))
  const fields = { token: form.token ?? '', action: 'hide', category: 'spam' }
  t.is((await moderator.post(`/moderate/${item}`, fields)).status, 303)
  const listings = ['index.html', 'newswire/index.html']
  const isOff = async () => {
    const texts = await Promise.all(listings.map(read))
    const page = await read(`${path.slice(1)}/index.html`)
    return !texts.some((text) => text.includes('A story for the stick')) && page.includes('noindex')
  }
  await until('it is off the listings, and its page stands behind the notice', isOff, 60_000)

  await b.stop()
  const other = await publish(a, { title: 'While it was off', body: 'More words.' })
  await b.start()
  await until(
    'it is there after the start',
    async () => (await read(`${other.path.slice(1)}/index.html`)).includes('More words.'),
    60_000,
  )
})
