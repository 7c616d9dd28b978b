import { randomBytes } from 'node:crypto'
import test from 'ava'
import { edit, formFields, publish, send } from '../helpers/forms.ts'
import type { ExecutionContext } from 'ava'
import type { Published } from '../helpers/forms.ts'
import { filesWith } from '../helpers/disk.ts'
import { join2, startNode } from '../helpers/node.ts'
import type { TestNode } from '../helpers/node.ts'
import { invite, setUp } from '../helpers/people.ts'
import { until } from '../helpers/wait.ts'

/** Where the files of the CouchDB under test are, if this machine has them. */
const COUCHDB_DATA = process.env.HYPERACTIVE_TEST_COUCHDB_DATA
const ON_COUCHDB = process.env.HYPERACTIVE_TEST_STORE === 'couchdb'

/** A word that no compression of a file of text makes shorter, and that stands nowhere else. */
function secretWord(): string {
  return [...randomBytes(20)].map((byte) => LETTERS[byte % LETTERS.length]).join('')
}

const LETTERS = 'ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz'

/** All files are rewritten, on two cores that others use as well. */
const BOUND_MS = 120_000

/** The folders in which a node's bytes are. */
function foldersOf(node: TestNode): string[] {
  return [node.data, ...(ON_COUCHDB && COUCHDB_DATA !== undefined ? [COUCHDB_DATA] : [])]
}

async function holding(node: TestNode, ...texts: string[]): Promise<string[]> {
  return (await Promise.all(foldersOf(node).map((folder) => filesWith(folder, ...texts)))).flat()
}

/** Waits until no file of the node holds any of these texts. */
async function cleanOf(t: ExecutionContext, node: TestNode, ...texts: string[]): Promise<void> {
  if (ON_COUCHDB && COUCHDB_DATA === undefined) {
    t.log('HYPERACTIVE_TEST_COUCHDB_DATA names no folder: the files of the CouchDB were not looked at')
    return
  }
  let files: string[] = []
  await until(
    'nothing of it is in any file',
    async () => {
      files = await holding(node, ...texts)
      return files.length === 0
    },
    BOUND_MS,
  ).catch(() => undefined)
  t.deepEqual(files, [])
}

async function comment(node: TestNode, { item }: Published, body: string): Promise<string> {
  const form = formFields(await node.html(`/comments/${item}`))
  const answer = await send(node, `/comments/${item}`, { ...form, body, action: 'publish' })
  return /#c-([0-9a-f]{40})$/.exec(answer.headers.get('location') ?? '')?.[1] ?? ''
}

const erased = (node: TestNode, { item }: Published, count = 1) =>
  until(
    'the node says that it has erased it',
    async () => {
      const documents = await node.withCouch(async (couch) => {
        const range = { startkey: `${item}:`, endkey: `${item}:\ufff0`, include_docs: true }
        return (await couch.database('ledger').allDocs(range)).rows.map(({ doc }) => doc)
      })
      const done = documents.filter((document) => document?.did === 'executed')
      return done.length >= count && documents.every((document) => document?.type === 'erasure')
    },
    BOUND_MS,
  )

test.serial(
  'after an erasure no byte of any version, comment, report or reason is in any file',
  async (t) => {
    const [secret, second, tag] = [secretWord(), secretWord(), secretWord().toLowerCase()]
    const node = await startNode(t)
    const root = await setUp(node)
    const moderator = await invite(node, root, 'mod', { roles: ['moderator'] })
    const story = await publish(node, { title: secret, body: `Lives at ${secret}.`, tags: tag })
    const kept = await publish(node, { title: 'Another story', body: 'It stays.' })
    await edit(node, story, { title: 'Nothing to see', body: `A second text, ${second}.` })
    const remark = await comment(node, story, `I know ${second}.`)
    t.not(remark, '')
    const report = formFields(await node.html(`/report/${story.item}`))
    t.is((await send(node, `/report/${story.item}`, { ...report, reason: `Names ${secret}` })).status, 200)
    await moderator.send(`/moderate/${story.item}`, { action: 'lock', reason: `Because of ${second}` })
    await moderator.send(`/moderate/${story.item}`, { action: 'note', note: `I know ${secret}` })
    t.true((await moderator.html(`/moderate/${story.item}`)).includes(`I know ${secret}`))
    t.true((await node.html(`/search?q=${second}`)).includes('Nothing to see'))
    // What was in logs gets into tables now, whose first and last keys LevelDB notes down.
    await node.stop()
    await node.start()
    const before = await until('the texts are in files', async () => {
      const files = await holding(node, secret, second)
      return files.length > 1 && files
    })
    t.true(
      before.some((name) => name.includes('search.sqlite')),
      before.join(' '),
    )

    const ordered = await root.send(`/erase/${story.item}`, { category: 'personal-data', sure: 'yes' })
    t.is(ordered.headers.get('location'), '/office/erasures')
    await erased(node, story)
    await cleanOf(t, node, secret, second, tag)

    for (const path of ['', '/history', `/edit/${story.secret}`, `/withdraw/${story.secret}`]) {
      const answer = await node.page(story.path + path)
      t.is(answer.status, 410, path)
      t.true((await answer.text()).includes('has been erased'))
    }
    t.is((await node.page(`/api/v1/items/${story.item}`)).status, 404)
    t.is((await node.page(`/comments/${story.item}`)).status, 404)
    t.is((await moderator.get(`/moderate/${story.item}`)).status, 404)
    for (const path of ['/', '/newswire', '/latest', '/hidden', '/office', '/search?q=lives', '/tags'])
      t.notRegex(await root.html(path), new RegExp(`${secret}|${second}|${tag}`), path)
    t.true((await node.html(`/search?q=${second}`)).includes('0 results'))
    const log = await node.html('/moderation')
    t.regex(log, /erased here[^]*ordered to be erased<\/strong> · personal data/)
    t.regex(await root.html('/office/erasures'), /<strong>erased here<\/strong>[^]*1 of 1 nodes/)
    t.is((await node.page(kept.path)).status, 200)

    // The same site comes of the ledger that is left, and the node stays quiet about what it has done.
    const documents = await node.siteDocuments()
    await node.stop()
    t.is((await node.run('rebuild')).code, 0)
    await node.start()
    t.deepEqual(await node.siteDocuments(), documents)
    const doctor = await node.run('doctor')
    t.is(doctor.code, 0, doctor.out)
  },
)

test.serial(
  'an order is carried out where the policy says so, asked about where not, and nobody brings the text back',
  async (t) => {
    const secret = secretWord()
    const [a, b, c] = [await startNode(t), await startNode(t), await startNode(t)]
    await join2(a, b)
    await join2(a, c)
    await b.stop()
    await b.writeConfig('moderation: { erasures: execute }\n')
    await b.start()
    const [root, keeper] = [await setUp(a), await setUp(c)]
    const story = await publish(a, { title: secret, body: 'A text.' })
    const remark = await comment(a, story, 'A remark.')
    for (const node of [b, c])
      await until('it is everywhere', async () => (await node.html(story.path)).includes('A remark.'))
    await root.send(`/erase/${story.item}`, { category: 'danger', sure: 'yes' })
    await erased(a, story)
    await erased(b, story, 2)
    t.is((await b.page(story.path)).status, 410)
    // On one CouchDB the third node's files, which still have it, are among those that are looked at.
    if (!ON_COUCHDB) await cleanOf(t, b, secret)

    // Until somebody answers nobody can read it there, and it is still kept.
    await until('it is closed', async () => (await c.page(story.path)).status === 410)
    t.true(
      (await c.ledgerDocument(`${story.item}:comment:${remark}`)) !== undefined,
      'nothing was deleted without asking',
    )
    const page = await until('it is asked', async () => {
      const html = await keeper.html('/office/erasures')
      return html.includes('waits for your answer') && html
    })
    t.true(page.includes(`${story.item} execute`))
    await until('the others have answered', async () =>
      (await keeper.html('/office/erasures')).includes('2 of 3 nodes'),
    )
    const declined = await keeper.send('/office/erasures', { answer: `${story.item} decline` })
    t.is(declined.status, 303)
    await until('it is shown again', async () => (await c.page(story.path)).status === 200)
    await until('the first node knows', async () =>
      /not erased here/.test(await root.html('/office/erasures')),
    )

    // A node that kept it does not give it back, also when it starts from zero.
    await c.run('peer', 'resync', 'all')
    const again = await publish(c, { title: 'After that' })
    await until('the link is at work', async () => (await a.page(again.path)).status === 200)
    t.is((await a.page(story.path)).status, 410)
    t.is(await a.ledgerDocument(`${story.item}:comment:${remark}`), undefined)

    // Whoever has declined can still follow.
    t.is((await keeper.send(`/erase/${story.item}`, { category: 'danger', sure: 'yes' })).status, 303)
    await erased(c, story, 3)
    t.is((await c.page(story.path)).status, 410)
  },
)

test.serial('one comment is erased by itself', async (t) => {
  const [secret, second] = [secretWord(), secretWord()]
  const node = await startNode(t)
  const root = await setUp(node)
  const story = await publish(node, { title: 'A story', body: 'Its text.' })
  const [kind, rude] = [await comment(node, story, 'A kind word.'), await comment(node, story, secret)]
  await root.send(`/moderate/${story.item}/${rude}`, { action: 'hide', reason: `It says ${second}` })
  await root.send(`/erase/${story.item}/${rude}`, { category: 'hate', sure: 'yes' })
  await until('it is gone', async () => {
    const document = await node.ledgerDocument(`${story.item}:comment:${rude}`)
    return document === undefined
  })
  await until('the node says so', async () => /erased here/.test(await node.html('/moderation')))
  await cleanOf(t, node, secret, second)
  const html = await node.html(story.path)
  t.true(html.includes('A kind word.') && html.includes('Its text.'))
  t.is((await node.page(`/comments/${story.item}/${rude}`)).status, 404)
  t.is((await node.page(`/comments/${story.item}/${kind}`)).status, 302)
})

test.serial(
  'an erasure takes a reason of the list and a second thought, and administrators alone order it',
  async (t) => {
    const node = await startNode(t)
    const root = await setUp(node)
    const editor = await invite(node, root, 'edith', { roles: ['editor'] })
    const story = await publish(node, { title: 'A story' })
    const path = `/erase/${story.item}`
    t.is((await editor.get(path)).status, 403)
    t.is((await root.send(path, { sure: 'yes' })).status, 422)
    t.is((await root.send(path, { category: 'because <b>', sure: 'yes' })).status, 422)
    t.is((await root.send(path, { category: 'danger' })).status, 422)
    t.is((await root.get(`/erase/${'0'.repeat(26)}`)).status, 404)
    t.is((await root.get(`${path}/${'0'.repeat(40)}`)).status, 404)
    t.is((await root.post(path, { category: 'danger', sure: 'yes' })).status, 403, 'without a token')
    t.is((await root.send('/office/erasures', { answer: `${story.item} execute` })).status, 404)
    t.is((await node.page(story.path)).status, 200)
    t.is((await node.run('erase', story.item)).code, 2)
    t.is((await node.run('erase', 'nonsense', '--category', 'danger')).code, 1)
    const ordered = await node.run('erase', node.address + story.path, '--category', 'danger', '--json')
    t.is(ordered.code, 0, ordered.err)
    await erased(node, story)
  },
)

test.serial('a node that is killed while it erases goes on at its next start', async (t) => {
  const secret = secretWord()
  const node = await startNode(t)
  const story = await publish(node, { title: secret })
  await node.stop()
  const ordered = await node.run('erase', story.item, '--category', 'illegal')
  t.is(ordered.code, 0, ordered.err)
  await node.start()
  await until('it has begun', async () => (await node.page(story.path)).status === 410)
  await node.kill()
  await node.start()
  await erased(node, story)
  await cleanOf(t, node, secret)
  t.is((await node.page(story.path)).status, 410)
})

test.serial('an edit that was made elsewhere meanwhile is erased when it comes', async (t) => {
  const [a, b] = [await startNode(t), await startNode(t)]
  await join2(a, b)
  const secret = secretWord()
  const story = await publish(a, { title: 'A story', body: 'A text.' })
  await until('it is there', async () => (await b.page(story.path)).status === 200)
  await b.stop()
  const ordered = await a.run('erase', story.item, '--category', 'danger')
  t.is(ordered.code, 0, ordered.err)
  await erased(a, story)
  await a.stop()
  await b.start()
  await edit(b, story, { body: `More, ${secret}.` })
  await a.start()
  await until('the edit has been here and is gone', async () => {
    const ids = await a.withCouch(async (couch) => {
      const { results } = await couch.database('ledger').changes({ since: 0 })
      return results.filter(({ id, deleted }) => deleted && id.startsWith(`${story.item}:edit:`))
    })
    return ids.length === 2
  })
  await erased(a, story)
  if (!ON_COUCHDB) await cleanOf(t, a, secret)
  t.is((await a.page(story.path)).status, 410)
  await until('it is closed there as well', async () => (await b.page(story.path)).status === 410)
})

test.serial(
  'comments and decisions that were made elsewhere meanwhile go as well, and were on no page',
  async (t) => {
    const [a, b] = [await startNode(t), await startNode(t)]
    await join2(a, b)
    const [secret, second] = [secretWord(), secretWord()]
    const story = await publish(a, { title: 'A story', body: 'A text.' })
    const remark = await comment(a, story, 'A remark.')
    await until('it is there', async () => (await b.html(story.path)).includes('A remark.'))
    const moderator = await setUp(b)
    await b.stop()
    t.is((await a.run('erase', story.item, '--category', 'danger')).code, 0)
    await erased(a, story)
    const documents = await a.siteDocuments()
    await a.stop()
    await b.start()
    t.not(await comment(b, story, `I know: ${secret}.`), '')
    const judged = { action: 'hide', reason: `It says ${second}` }
    t.is((await moderator.send(`/moderate/${story.item}/${remark}`, judged)).status, 303)
    await a.start()
    await until('the comment has been here and is gone', () =>
      a.withCouch(async (couch) => {
        const { results } = await couch.database('ledger').changes({ since: 0 })
        const ids = results.filter(({ deleted }) => deleted).map(({ id }) => id.split(':')[1])
        return ids.filter((type) => type === 'comment').length === 2 && ids.includes('decision')
      }),
    )
    await erased(a, story)
    if (!ON_COUCHDB) await cleanOf(t, a, secret, second)
    t.is((await a.page(story.path)).status, 410)
    t.false((await a.html('/latest')).includes(secret))
    await until('the site is as it was', async () => {
      const now = await a.siteDocuments()
      return Object.keys(now).length === Object.keys(documents).length && now[story.item] !== undefined
    })
  },
)
