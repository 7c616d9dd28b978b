import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { testFolder } from '../helpers/folder.ts'
import { formFields, publish } from '../helpers/forms.ts'
import { join2, startNode, TestNode } from '../helpers/node.ts'
import { invite, setUp } from '../helpers/people.ts'
import { differences, filesOf, produce } from '../helpers/produced.ts'
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
  const publishing = `href="${a.address}/publish"`
  await until('pages name the peer', async () => (await read('index.html')).includes(publishing), 60_000)
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

test('what a node produces for its mirrors is byte for byte what the command produces', async (t) => {
  const place = await testFolder(t)
  const node = new TestNode(await testFolder(t))
  t.teardown(() => node.remove())
  await mkdir(node.data, { recursive: true })
  await mkdir(join(place, 'site'))
  await node.writeConfig(`produce: { live: [https://one.example] }
mirrors:
  - { name: stick, kind: folder, folder: ${join(place, 'site')} }
`)
  await node.start()
  t.true((await node.html('/newswire')).includes('data-live'), 'readers of the node are told of what comes')
  const { path } = await publish(node, { title: 'A story', body: 'Words.', tags: 'river' })
  const fresh = join(place, 'fresh')
  await produce(node, fresh)
  t.true((await filesOf(fresh)).has(`${path.slice(1)}/index.html`))
  let last: string[] = []
  await until(
    'the folder is like the other',
    async () => {
      last = await differences(join(node.data, 'produced'), fresh)
      return last.every((file) => file.startsWith('.'))
    },
    60_000,
    200,
  ).catch((error: unknown) => t.fail(`${String(error)}: ${last.slice(0, 10).join(' ')}`))
  t.false([...(await filesOf(fresh)).values()].some((html) => html.includes('data-live')))
})
