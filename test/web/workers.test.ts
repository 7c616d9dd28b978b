import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { startNodeWith } from '../helpers/config.ts'
import { edit, formFields, publish, send, sendLarge } from '../helpers/forms.ts'
import { join2, startNode } from '../helpers/node.ts'
import type { TestNode } from '../helpers/node.ts'
import { setUp } from '../helpers/people.ts'
import { until } from '../helpers/wait.ts'

const WORKERS = 'web: { workers: 2 }\npages: { memoryBytes: 10000000 }\n'

/** The processes of a node's workers. */
async function workersOf(node: TestNode): Promise<number[]> {
  const { nodeProcess } = await node.processes()
  const children = await readFile(`/proc/${nodeProcess}/task/${nodeProcess}/children`, 'utf8')
  const found: number[] = []
  for (const id of children.trim().split(' ').map(Number)) {
    const command = await readFile(`/proc/${id}/cmdline`, 'utf8').catch(() => '')
    if (command.includes('workers/worker.ts')) found.push(id)
  }
  return found
}

test('behind workers everybody reads at once what was written, whichever of them answers', async (t) => {
  const node = await startNodeWith(t, WORKERS)
  t.is((await workersOf(node)).length, 2)
  const root = await setUp(node)
  const story = await publish(node, { title: 'First title', tags: 'river', body: 'A text.' })
  const paths = ['/', '/newswire', '/tags/river', '/newswire/feed.atom', story.path]
  const all = async (times: number) => {
    const pages = await Promise.all(
      Array.from({ length: times }, () => Promise.all(paths.map((path) => node.html(path)))),
    )
    return pages.flat()
  }
  for (const html of await all(6)) t.true(html.includes('First title'))
  for (let round = 0; round < 5; round += 1) {
    await edit(node, story, { title: `Title of round ${round}` })
    for (const html of await all(4)) t.true(html.includes(`Title of round ${round}`))
  }
  const form = formFields(await node.html(`/comments/${story.item}`))
  await send(node, `/comments/${story.item}`, { ...form, body: 'A remark.', action: 'publish' })
  for (let times = 0; times < 8; times += 1) t.true((await node.html(story.path)).includes('A remark.'))

  t.true((await root.html(story.path)).includes('/office'), 'who is signed in gets a page of their own')
  for (let times = 0; times < 8; times += 1) t.false((await node.html(story.path)).includes('/office'))
  await root.send(`/moderate/${story.item}`, { action: 'hide', category: 'spam' })
  for (const html of (await all(4)).slice(0, 4)) t.false(html.includes('Title of round 4'))
})

test('a worker answers with kept pages while the node’s own process is busy, and one that dies is started again', async (t) => {
  const node = await startNodeWith(t, WORKERS)
  const story = await publish(node, { title: 'Kept by workers', body: 'A text. '.repeat(300) })
  const { nodeProcess } = await node.processes()
  t.is((await stat(join(node.data, 'workers.sock'))).mode & 0o777, 0o600)
  const answersAlone = async () => {
    process.kill(nodeProcess, 'SIGSTOP')
    try {
      const signal = AbortSignal.timeout(1000)
      const asked = Array.from({ length: 12 }, () => node.page(story.path, { signal }))
      const answers = await Promise.all(asked)
      return (await Promise.all(answers.map((answer) => answer.text()))).every((html) =>
        html.includes('Kept by workers'),
      )
    } catch {
      return false
    } finally {
      process.kill(nodeProcess, 'SIGCONT')
    }
  }
  await until('both have a copy', async () => {
    await Promise.all(Array.from({ length: 12 }, () => node.html(story.path)))
    return answersAlone()
  })
  const kept = await node.page(story.path)
  const etag = kept.headers.get('etag') ?? ''
  t.regex(etag, /^"[\w-]{22}(?:-(?:br|gzip))?"$/)
  t.is((await node.page(story.path, { headers: { 'if-none-match': etag } })).status, 304)
  t.is(kept.headers.get('hyperactive-front'), null)

  const before = await workersOf(node)
  for (const id of before) process.kill(id, 'SIGKILL')
  await until('two others have come', async () => {
    const now = await workersOf(node)
    return now.length === 2 && now.every((id) => !before.includes(id))
  })
  await until('they answer', async () => (await node.html(story.path)).includes('Kept by workers'))
  t.regex(node.output, /workers: a worker ended/)

  const [one = 0] = await workersOf(node)
  await node.stop()
  await until('workers end with the node', async () => !(await readdir('/proc')).includes(String(one)))
})

test('workers end with a node that is killed, and the next start finds its port free', async (t) => {
  const node = await startNodeWith(t, WORKERS)
  const workers = await workersOf(node)
  await node.kill()
  await until('its workers are gone', async () => {
    const processes = await readdir('/proc')
    return workers.every((id) => !processes.includes(String(id)))
  })
  await node.start()
  t.is((await node.page('/newswire')).status, 200)
})

test('nodes replicate through workers, and a body that is too large is refused through them', async (t) => {
  const a = await startNodeWith(t, WORKERS)
  const b = await startNode(t)
  await join2(a, b)
  await publish(a, { title: 'Over the workers' })
  await until('B has it', async () => (await b.html('/newswire')).includes('Over the workers'))
  await publish(b, { title: 'And back' })
  await until('A has it', async () => (await a.html('/newswire')).includes('And back'))
  t.is(await sendLarge(a, '/publish/article', 'application/x-www-form-urlencoded', 5_000_000), 413)
})
