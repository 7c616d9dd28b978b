import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import type { ExecutionContext } from 'ava'
import { startFeedServer } from '../helpers/feed-server.ts'
import { edit, formFields, publish, send } from '../helpers/forms.ts'
import type { Fields, Published } from '../helpers/forms.ts'
import { testFolder } from '../helpers/folder.ts'
import { keptNow, stalePages } from '../helpers/kept-pages.ts'
import { startNodeHere } from '../helpers/node-here.ts'
import type { NodeHere } from '../helpers/node-here.ts'
import { join2, startNode } from '../helpers/node.ts'
import type { TestNode } from '../helpers/node.ts'
import { setUp } from '../helpers/people.ts'
import type { Visitor } from '../helpers/people.ts'
import { until } from '../helpers/wait.ts'

const KEEPS = 'pages: { memoryBytes: 100000000 }\n'
const EVENT = {
  start: '2031-05-06',
  startTime: '19:00',
  endTime: '21:00',
  zone: 'Europe/Madrid',
  repeat: 'none',
  venue: 'The yard',
}

/** A node that keeps pages, with an administrator. */
async function keeper(t: ExecutionContext, settings = ''): Promise<{ node: NodeHere; root: Visitor }> {
  const node = await startNodeHere(t, KEEPS + settings)
  return { node, root: await setUp(node) }
}

/**
 * Reads pages until they are kept, makes a change, and sees to it that each of them is another one then, that every page
 * that is still kept is as it would be made now, and that some were left alone.
 */
async function changes(
  t: ExecutionContext,
  node: NodeHere,
  { these, notThose = [] }: { these: readonly string[]; notThose?: readonly string[] },
  change: () => Promise<unknown>,
): Promise<Record<string, string>> {
  const all = [...these, ...notThose]
  const before = await read(node, all)
  const kept = keptNow(node)
  const keyOf = (path: string) => [...kept.keys()].find((key) => key.endsWith(` ${path}`)) ?? ''
  for (const path of all) t.not(keyOf(path), '', `${path} is kept`)
  await change()
  await node.here.projector.drained()
  t.deepEqual(await stalePages(node), [])
  const now = keptNow(node)
  for (const path of notThose) t.is(now.get(keyOf(path)), kept.get(keyOf(path)), `${path} stays`)
  const after = await read(node, these)
  for (const path of these) t.not(after[path], before[path], path)
  return after
}

async function read(node: NodeHere, paths: readonly string[]): Promise<Record<string, string>> {
  const found: Record<string, string> = {}
  for (const path of paths) {
    const answer = await node.page(path)
    found[path] = `${answer.status} ${await answer.text()}`
  }
  return found
}

const decide = (root: Visitor, target: string, action: string) =>
  root.send(`/moderate/${target}`, { action, category: 'danger' })

async function comment(node: TestNode, { item }: Published, body: string): Promise<string> {
  const form = formFields(await node.html(`/comments/${item}`))
  const answer = await send(node, `/comments/${item}`, { ...form, body, action: 'publish' })
  return /#c-([0-9a-f]{40})$/.exec(answer.headers.get('location') ?? '')?.[1] ?? ''
}

/** What editors publish; gives the address of its page. */
async function publishAs(root: Visitor, kind: string, fields: Fields): Promise<string> {
  const page = `/office/publish/${kind}`
  const form = formFields(await root.html(page))
  const answer = await root.post(page, { ...form, language: 'en', ...fields, action: 'publish' })
  return /^\/[a-z]+\/[^/]+/.exec(answer.headers.get('location') ?? '')?.[0] ?? ''
}

function calendarsOf(day: string): string[] {
  return [`/calendar/${day}`, `/calendar/${day.slice(0, 4)}/${day.slice(5, 7)}`]
}

async function editAs(root: Visitor, path: string, fields: Fields): Promise<void> {
  const form = formFields(await root.html(`${path}/edit`))
  await root.post(`${path}/edit`, { ...form, ...fields, action: 'publish' })
}

test('auto-moderated content: what a filter hides is on no kept page', async (t) => {
  const { node, root } = await keeper(t)
  const filter = { name: 'Gambling', way: 'words', pattern: 'casino', deed: 'hide', category: 'spam' }
  const tried = formFields(
    await (await root.send('/office/filters', { ...filter, action: 'preview' })).text(),
  )
  const { token = '', tried: digest = '' } = tried
  await publish(node, { title: 'A walk' })
  const story = await publish(node, { title: 'Evening', body: 'In the casino.', tags: 'night' })
  const these = [
    '/',
    '/newswire',
    '/articles',
    '/tags',
    '/latest',
    '/newswire/feed.rss',
    '/hidden',
    story.path,
  ]
  const after = await changes(t, node, { these }, async () => {
    await root.post('/office/filters', { ...filter, token, tried: digest, action: 'apply' })
    await until('it is hidden', async () => (await node.html('/hidden')).includes('Evening'))
  })
  for (const path of these.slice(0, -2)) t.false(after[path]?.includes('Evening'), path)
})

test('every kind: its index and its pages show what is published, edited and hidden', async (t) => {
  const { node, root } = await keeper(t)
  const kinds: Record<string, Fields> = {
    article: {},
    event: EVENT,
    link: { address: 'https://elsewhere.example/' },
    photo: {},
    audio: {},
    video: {},
    group: { summary: 'We.' },
  }
  for (const [kind, fields] of Object.entries(kinds)) {
    const first = await publish(node, { title: `A ${kind}`, ...fields }, kind)
    const index = first.path.replace(/\/[^/]+$/, '')
    const listed = kind === 'event' ? '/latest' : index
    const feed = kind === 'event' ? '/latest/feed.atom' : `${index}/feed.atom`
    const second = { title: 'Changed', ...fields }
    await changes(t, node, { these: [listed, feed] }, () =>
      publish(node, { ...second, title: 'Second' }, kind),
    )
    const edited = await changes(t, node, { these: [listed, feed, first.path] }, () =>
      edit(node, first, second),
    )
    for (const page of Object.values(edited)) t.true(page.includes('Changed'), kind)
    const hidden = await changes(t, node, { these: [listed, feed, first.path, '/hidden'] }, () =>
      decide(root, first.item, 'hide'),
    )
    for (const path of [listed, feed]) t.false(hidden[path]?.includes('Changed'), path)
  }
  const editors: Record<string, Fields> = { page: { body: 'Who we are.' }, alert: { summary: 'Now.' } }
  for (const [kind, fields] of Object.entries(editors)) {
    const path = await publishAs(root, kind, { title: `A ${kind}`, ...fields })
    await changes(t, node, { these: [`/${kind}s`, path] }, () => editAs(root, path, { title: 'Changed' }))
  }
})

test('tag, place and time: what is retagged moves from the old pages, feeds and calendars to the new, no others change', async (t) => {
  const { node } = await keeper(t)
  const fields = { tags: 'river', places: 'Harbour', author: 'Ana', language: 'es' }
  const story = await publish(node, { title: 'Of the river', ...fields })
  await publish(node, { title: 'By Bert', tags: 'mill, school', places: 'North', author: 'Bert' })
  await publish(node, { title: 'Second', tags: 'river', places: 'Harbour', author: 'Ana', language: 'es' })
  const meeting = await publish(node, { title: 'Meeting', ...EVENT, ...fields }, 'event')
  const old = ['/tags/river', '/places/harbour', '/authors/Ana', '/languages/es']
  const fresh = ['/tags/mill', '/places/north', '/authors/Bert', '/languages/en']
  const feeds = [...old, ...fresh].map((path) => `${path}/feed.json`)
  const notThose = ['/tags/school', '/tags/school/feed.json', '/archive/1999', '/groups', '/photos']
  const these = [...old, ...fresh, ...feeds, '/tags', '/places', '/authors', '/languages']
  await changes(t, node, { these, notThose }, () =>
    edit(node, story, { tags: 'mill', places: 'North', author: 'Bert', language: 'en' }),
  )
  const calendars = [...old, ...fresh].slice(0, 6).filter((path) => /tags|places/.test(path))
  const periods = calendars.flatMap((path) =>
    ['', '/2031/05', '/2031-W19', '/2031-05-06'].map((period) => `${path}/calendar${period}`),
  )
  await changes(t, node, { these: periods, notThose: ['/tags/school/calendar/2031/05'] }, () =>
    edit(node, meeting, { tags: 'mill', places: 'North' }),
  )
  const [year = '', month = ''] = new Date().toISOString().split('-')
  const archive = ['/archive', `/archive/${year}`, `/archive/${year}/${month}`, '/sitemap.xml']
  const still = ['/archive/2009', '/archive/2009/06', '/sitemap/2009-06.xml']
  await changes(
    t,
    node,
    { these: [...archive.slice(0, 3), `/sitemap/${year}-${month}.xml`], notThose: still },
    () => publish(node, { title: 'Third' }),
  )
  // What is imported has the time that it was written at.
  const folder = join(await testFolder(t), 'old')
  await mkdir(folder)
  await writeFile(join(folder, 'a.md'), '---\ntitle: Old\ndate: 2009-06-22\nlanguage: en\n---\nText.\n')
  await changes(
    t,
    node,
    { these: ['/archive', ...still, '/sitemap.xml'], notThose: archive.slice(1, 3) },
    () => node.run('import', folder),
  )
})

test('featured lists: what is hidden leaves them, the front page and the players’ lists', async (t) => {
  const { node, root } = await keeper(t)
  const another = await publish(node, { title: 'Another' })
  const film = await publish(node, { title: 'The film', tags: 'film' }, 'video')
  const lists = ['/', '/features', '/features/feed.atom']
  await changes(t, node, { these: lists, notThose: ['/media/feed.atom'] }, () =>
    decide(root, another.item, 'feature'),
  )
  await changes(t, node, { these: lists }, () => decide(root, film.item, 'feature'))
  await changes(t, node, { these: ['/'] }, () => decide(root, another.item, 'stick'))
  const all = [...lists, '/media', '/videos', '/media/feed.json', '/tags/film/feed.rss', film.path]
  const after = await changes(t, node, { these: all }, () => decide(root, film.item, 'hide'))
  for (const path of all.slice(0, 6)) t.false(after[path]?.includes('The film'), path)
  await changes(t, node, { these: [...all, '/hidden', '/moderation'] }, () =>
    decide(root, film.item, 'unhide'),
  )
  await changes(t, node, { these: [...lists.slice(1), '/promoted', '/promoted/feed.rss'] }, () =>
    decide(root, film.item, 'promote'),
  )
})

test('parent pages: an original and its translations name each other as they are', async (t) => {
  const { node, root } = await keeper(t)
  const original = await publish(node, { title: 'The original' })
  const other = await publish(node, { title: 'Not translated' })
  const translationOf = { translationOf: original.item }
  const [de] = [await publish(node, { title: 'Auf Deutsch', language: 'de', ...translationOf })]
  const these = [original.path, de.path]
  await changes(t, node, { these, notThose: [other.path] }, () =>
    publish(node, { title: 'En español', language: 'es', ...translationOf }),
  )
  await changes(t, node, { these }, () => edit(node, de, { title: 'Noch einmal' }))
  await changes(t, node, { these: [de.path] }, () => edit(node, original, { title: 'Once more' }))
  const after = await changes(t, node, { these }, () => decide(root, de.item, 'hide'))
  t.false(after[original.path]?.includes('Noch einmal'))
  const gone = await changes(t, node, { these: [de.path] }, () => decide(root, original.item, 'conceal'))
  t.false(gone[de.path]?.includes('Once more'))
})

test('“related”: nothing beside an item leads to what is hidden, and its name is that of now', async (t) => {
  const { node, root } = await keeper(t)
  const story = await publish(node, { title: 'Of the river', tags: 'river' })
  const related = await publish(node, { title: 'Also of the river', tags: 'river, mill' })
  const other = await publish(node, { title: 'Of the town', tags: 'town' })
  const [these, notThose] = [[story.path], [other.path]]
  await changes(t, node, { these, notThose }, () => edit(node, related, { title: 'Renamed' }))
  await changes(t, node, { these: [], notThose: [story.path, other.path, '/tags/river', '/'] }, () =>
    edit(node, related, { body: 'Only its text is another.' }),
  )
  await changes(t, node, { these: [related.path], notThose: [story.path, other.path] }, () =>
    comment(node, related, 'A remark.'),
  )
  const after = await changes(t, node, { these, notThose }, () => decide(root, related.item, 'hide'))
  t.false(after[story.path]?.includes('Renamed'))
  await changes(t, node, { these, notThose }, () => decide(root, related.item, 'unhide'))
  await changes(t, node, { these, notThose }, () => edit(node, related, { tags: 'mill' }))
  for (const title of ['One', 'Two', 'Three', 'Four']) await publish(node, { title, tags: 'river' })
  await changes(t, node, { these: ['/tags/river'], notThose: [story.path] }, () =>
    publish(node, { title: 'Much later', tags: 'river' }),
  )
})

test('a group renamed, opened or hidden: the pages of what it publishes say so', async (t) => {
  const { node, root } = await keeper(t)
  const group = await publish(
    node,
    { title: 'Tenants', summary: 'We.', open: 'yes', tags: 'housing' },
    'group',
  )
  const ours = await publish(node, { title: 'By the tenants', group: group.item })
  const meeting = await publish(node, { title: 'Meeting', ...EVENT, group: group.item }, 'event')
  const other = await publish(node, { title: 'By nobody', tags: 'river' })
  const notThose = [other.path, '/tags/river']
  const own = [
    ours.path,
    meeting.path,
    group.path,
    `${group.path}/newswire`,
    `${group.path}/newswire/feed.atom`,
  ]
  await changes(t, node, { these: own, notThose }, () => edit(node, group, { title: 'Neighbours' }))
  await changes(t, node, { these: [group.path], notThose: [...notThose, ours.path, meeting.path] }, () =>
    edit(node, group, { summary: 'We are others now.' }),
  )
  await changes(t, node, { these: [...own, `${group.path}/calendar/2031/05`], notThose }, () =>
    edit(node, group, { open: '' }),
  )
  await edit(node, group, { open: 'yes', playlist: 'A song https://radio.example/a.ogg' })
  const list = `${group.path}/playlist.m3u`
  await changes(t, node, { these: [list, group.path], notThose }, () =>
    edit(node, group, { playlist: 'Another https://radio.example/b.ogg' }),
  )
  const after = await changes(t, node, { these: [...own, list, '/groups', '/'], notThose }, () =>
    decide(root, group.item, 'hide'),
  )
  t.false(after[ours.path]?.includes('Neighbours'))
  t.regex(after[`${group.path}/newswire`] ?? '', /^404/)
})

test('groups stand in the order of what they published last, whatever is hidden and edited', async (t) => {
  const { node, root } = await keeper(t)
  const [one, two] = [
    await publish(node, { title: 'Group one', summary: 'We.', open: 'yes' }, 'group'),
    await publish(node, { title: 'Group two', summary: 'We.', open: 'yes' }, 'group'),
  ]
  const old = await publish(node, { title: 'Old', group: one.item })
  await publish(node, { title: 'Between', group: two.item })
  let latest: Published | undefined
  await changes(t, node, { these: ['/groups'] }, async () => {
    latest = await publish(node, { title: 'New', group: one.item })
  })
  await decide(root, latest?.item ?? '', 'hide')
  await changes(t, node, { these: [old.path], notThose: ['/groups'] }, () =>
    edit(node, old, { body: 'Anew.' }),
  )
})

test('a tag renamed, merged and parted: its pages and those of its items', async (t) => {
  const { node } = await keeper(t)
  const story = await publish(node, { title: 'Of the colour', tags: 'colour' })
  const other = await publish(node, { title: 'Of the town', tags: 'town' })
  await publish(node, { title: 'Of the color', tags: 'color' })
  const notThose = [other.path, '/tags/town', '/tags/town/feed.atom', '/tags/town/calendar']
  const these = [
    story.path,
    '/',
    '/newswire',
    '/tags',
    '/tags/color',
    '/tags/colour',
    '/tags/colour/calendar',
  ]
  const run =
    (...command: string[]) =>
    async () => {
      t.is((await node.run('tag', ...command)).code, 0)
    }
  const after = await changes(t, node, { these, notThose }, run('rename', 'colour', 'color'))
  t.regex(after['/tags/colour'] ?? '', /^301/)
  await changes(t, node, { these: [story.path, '/tags/color'], notThose }, run('part', 'color', 'colour'))
  await run('merge', 'color', 'colour')()
  await node.here.projector.drained()
  await changes(t, node, { these: [story.path, '/tags/color'], notThose }, async () => {
    const term = Object.values(await node.siteDocuments()).find(({ kind }) => kind === 'term')
    await node.run('erase', term?._id ?? '', '--category', 'spam')
    const isErased = async () =>
      ((await node.siteDocuments())[term?._id ?? ''] as { type: string } | undefined)?.type === 'awaited'
    await until('what was said of the word is erased', isErased)
    await node.here.projector.drained()
  })
})

test('settings, templates and language: a start with others leaves no page of before', async (t) => {
  const { node } = await keeper(t)
  const { path } = await publish(node, { title: 'A story' })
  const paths = ['/', '/newswire', '/newswire/feed.atom', '/calendar.ics', path]
  const before = await read(node, paths)
  await node.stop()
  await node.writeConfig(`${KEEPS}site: { name: Another name, language: es, description: Anders }\n`)
  await node.start()
  t.is(keptNow(node).size, 0)
  const after = await read(node, paths)
  for (const one of paths) {
    t.not(after[one], before[one])
    t.true(after[one]?.includes('Another name'), one)
  }
  await node.stop()
  await node.writeConfig(`${KEEPS}moderation: { comments: closed }\n`)
  await node.start()
  t.regex((await read(node, [path]))[path] ?? '', /No more comments are taken/)
})

test('anything replicated from a peer: what is done there changes the kept pages here', async (t) => {
  const { node } = await keeper(t)
  const peer = await startNode(t, { HYPERACTIVE_ABUSE_LIMITS: 'off' })
  await join2(peer, node)
  const root = await setUp(peer)
  const here = (text: string, isThere = true) =>
    until(`the other node has it: ${text}`, async () => {
      await node.here.projector.drained()
      const found = await node.here.site.list({ view: 'changes', prefix: [] }, { limit: 20 })
      return JSON.stringify(found.rows).includes(text) === isThere
    })
  const these = ['/', '/newswire', '/latest', '/newswire/feed.atom', '/languages/en']
  let story: Published | undefined
  await publish(peer, { title: 'The first' })
  await here('The first')
  await changes(t, node, { these }, async () => {
    story = await publish(peer, { title: 'From there' })
    await here('From there')
  })
  if (!story) return
  const { path, item } = story
  await changes(t, node, { these: [...these, path] }, async () => {
    await edit(peer, { path, item, secret: story?.secret ?? '' }, { title: 'Renamed there' })
    await here('Renamed there')
  })
  const after = await changes(t, node, { these: [...these, path, '/hidden', '/moderation'] }, async () => {
    await decide(root, item, 'hide')
    await here('Renamed there', false)
  })
  for (const one of these) t.false(after[one]?.includes('Renamed there'), one)
})

test('an item’s page, its feeds and its calendar file: comments, answers, locks, versions and clashes', async (t) => {
  const { node, root } = await keeper(t)
  const meeting = await publish(node, { title: 'Meeting', ...EVENT }, 'event')
  const other = await publish(node, { title: 'Another' })
  const feeds = ['atom', 'rss', 'json'].map((format) => `${meeting.path}/feed.${format}`)
  const notThose = [other.path, `${other.path}/feed.atom`, `${meeting.path}/calendar.ics`]
  let hash = ''
  await changes(t, node, { these: [meeting.path, ...feeds, '/latest'], notThose }, async () => {
    hash = await comment(node, meeting, 'I come.')
  })
  await changes(t, node, { these: [meeting.path, ...feeds] }, async () => {
    const path = `/comments/${meeting.item}/${hash}/answer`
    const form = formFields(await node.html(path))
    await send(node, path, { ...form, body: 'So do I.', action: 'publish' })
  })
  await changes(t, node, { these: [meeting.path], notThose: [other.path] }, () =>
    decide(root, meeting.item, 'lock'),
  )
  await changes(t, node, { these: [meeting.path, ...feeds, '/latest'], notThose }, () =>
    decide(root, `${meeting.item}/${hash}`, 'hide'),
  )
  const file = [`${meeting.path}/calendar.ics`, meeting.path]
  await changes(t, node, { these: file }, () => edit(node, meeting, { venue: 'The park' }))
  await changes(t, node, { these: [...file, ...feeds] }, () => edit(node, meeting, { title: 'Assembly' }))
  await changes(t, node, { these: [meeting.path, '/clashes', '/latest'] }, async () => {
    const page = `${meeting.path}/edit/${meeting.secret}`
    const [one, two] = [formFields(await node.html(page)), formFields(await node.html(page))]
    await send(node, page, { ...one, title: 'Assembly of all', action: 'publish' })
    await send(node, page, { ...two, title: 'Assembly of none', action: 'publish' })
  })
  const [version = ''] =
    /\/events\/[^"]*\/versions\/[0-9a-f]+/.exec(await node.html(`${meeting.path}/history`)) ?? []
  const gone = await changes(t, node, { these: [version, ...file] }, () =>
    decide(root, meeting.item, 'conceal'),
  )
  for (const page of Object.values(gone)) t.regex(page, /^410/)
})

test('the front page and every page: alerts, snippets at their spots, pages of the menu', async (t) => {
  const { node, root } = await keeper(t)
  const { path } = await publish(node, { title: 'A story' })
  const all = ['/', path, '/tags', '/calendar/2031/05']
  const front = ['/']
  const rest = all.slice(1)
  await changes(t, node, { these: front, notThose: rest }, () =>
    publishAs(root, 'alert', { title: 'Come', summary: 'Now.', onFront: 'yes' }),
  )
  await changes(t, node, { these: front, notThose: rest }, () =>
    publishAs(root, 'snippet', { title: 'Radio', body: 'At noon.', spot: 'side' }),
  )
  let [foot, about] = ['', '']
  await changes(t, node, { these: all }, async () => {
    foot = await publishAs(root, 'snippet', { title: 'Imprint', body: 'Printed by us.', spot: 'foot' })
  })
  await changes(t, node, { these: all }, () => editAs(root, foot, { body: 'Printed by them.' }))
  await changes(t, node, { these: all }, () => editAs(root, foot, { spot: 'side' }))
  await changes(t, node, { these: all }, async () => {
    about = await publishAs(root, 'page', { title: 'About us', body: 'We.', inMenu: 'yes' })
  })
  await changes(t, node, { these: [about], notThose: all }, () => editAs(root, about, { body: 'Others.' }))
  await changes(t, node, { these: all }, () => editAs(root, about, { title: 'Us' }))
  const [, , item = ''] = about.split('/')
  await changes(t, node, { these: all }, () => decide(root, item, 'hide'))
})

test('page n of a listing: what enters and leaves shifts the later pages, and the deepest stays', async (t) => {
  const { node, root } = await keeper(t)
  const stories: Published[] = []
  for (let number = 0; number < 45; number += 1)
    stories.push(await publish(node, { title: `Story ${number}` }))
  const olderOn = async (path: string) =>
    /href="(\/newswire\?before=[^"]+)"/.exec(await node.html(path))?.[1] ?? ''
  const second = await olderOn('/newswire')
  const third = await olderOn(second)
  t.not(third, '')
  await changes(t, node, { these: ['/newswire'], notThose: [second, third] }, () =>
    publish(node, { title: 'The newest' }),
  )
  const [hidden] = [stories[20]?.item ?? '']
  await changes(t, node, { these: [second], notThose: ['/newswire', third] }, () =>
    decide(root, hidden, 'hide'),
  )
  await changes(t, node, { these: [third], notThose: ['/newswire', second] }, () =>
    edit(node, stories[0] ?? { item: '', path: '', secret: '' }, { title: 'The oldest' }),
  )
})

test('calendars: an event that is moved, repeated or cancelled leaves its old days and stands on its new ones', async (t) => {
  const { node, root } = await keeper(t)
  const soon = new Date(Date.now() + 3 * 86_400_000).toISOString().slice(0, 10)
  const meeting = await publish(node, { title: 'Meeting', ...EVENT, start: soon, tags: 'housing' }, 'event')
  const [old, fresh] = [calendarsOf(soon), calendarsOf('2031-05-06')]
  const lists = ['/', '/calendar', '/calendar.ics', '/tags/housing/calendar', '/tags/housing/calendar.ics']
  const notThose = [
    '/calendar/2032/01',
    '/calendar/2031-05-20',
    '/newswire',
    '/tags/housing/calendar/2032/01',
  ]
  const moved = await changes(t, node, { these: [...old, ...fresh, ...lists, meeting.path], notThose }, () =>
    edit(node, meeting, { start: '2031-05-06', end: '2031-05-06' }),
  )
  for (const path of old) t.false(moved[path]?.includes('>Meeting<'), path)
  const weekly = ['/calendar/2031-05-13', '/calendar/2031-W21', '/calendar/2031-05-20', '/calendar/2031/05']
  const still = ['/calendar/2031-05-06', '/calendar/2032/01']
  await changes(t, node, { these: [...weekly, meeting.path], notThose: still }, () =>
    edit(node, meeting, { repeat: 'weekly', until: '2031-05-20' }),
  )
  const second = `${meeting.path}/edit/${meeting.secret}/${encodeURIComponent('2031-05-13T19:00')}`
  const days = ['/calendar/2031-05-13', '/calendar/2031/05', meeting.path]
  await changes(t, node, { these: days, notThose: [...still, '/calendar/2031-05-20'] }, async () => {
    const form = formFields(await node.html(second))
    await send(node, second, { ...form, cancelled: 'yes', action: 'publish' })
  })
  await changes(t, node, { these: ['/calendar/2031-05-06', '/calendar/2031/05', ...lists.slice(0, 2)] }, () =>
    decide(root, meeting.item, 'hide'),
  )
})

test('/hidden and the log: every decision, its reason and what takes its place', async (t) => {
  const { node, root } = await keeper(t)
  const story = await publish(node, { title: 'A story', tags: 'river' })
  const other = await publish(node, { title: 'Another', tags: 'town' })
  const hash = await comment(node, other, 'A remark.')
  const notThose = ['/tags/town', '/tags/town/feed.atom']
  const both = ['/hidden', '/hidden/feed.atom', '/moderation']
  await changes(t, node, { these: [...both.slice(0, 1), both[2] ?? ''], notThose }, () =>
    decide(root, story.item, 'hide'),
  )
  await changes(t, node, { these: ['/moderation'], notThose: ['/hidden'] }, () =>
    decide(root, `${other.item}/${hash}`, 'hide'),
  )
  await changes(t, node, { these: ['/moderation', '/hidden'], notThose }, () =>
    decide(root, story.item, 'conceal'),
  )
  await changes(t, node, { these: ['/moderation', '/newswire'], notThose: ['/hidden'] }, () =>
    decide(root, story.item, 'unhide'),
  )
  await changes(t, node, { these: ['/newswire', '/tags/river', story.path] }, () =>
    send(node, `${story.path}/withdraw/${story.secret}`, { action: 'withdraw' }).then(async () => {
      const path = `${story.path}/withdraw/${story.secret}`
      const { token = '' } = formFields(await node.html(path))
      await send(node, path, { token, action: 'withdraw' })
    }),
  )
  // A report is nobody's business but the moderators'.
  await changes(t, node, { these: [], notThose: ['/moderation', '/hidden', other.path, '/'] }, async () => {
    const form = formFields(await node.html(`/report/${other.item}`))
    await send(node, `/report/${other.item}`, { ...form, reason: 'It is wrong.' })
  })
})

test('erased: every page that named it, its comments and its place in the listings', async (t) => {
  const { node, root } = await keeper(t)
  const story = await publish(node, { title: 'A name', tags: 'river', author: 'Ana' })
  const other = await publish(node, { title: 'Another', tags: 'river' })
  await comment(node, story, 'I know her.')
  const these = ['/', '/newswire', '/tags/river', '/tags', '/latest', '/authors', other.path, story.path]
  const feeds = ['/newswire/feed.atom', `${story.path}/feed.atom`, '/latest/feed.json', '/moderation']
  const after = await changes(t, node, { these: [...these, ...feeds] }, async () => {
    await root.send(`/erase/${story.item}`, { category: 'personal-data', sure: 'yes' })
    const isErased = async () =>
      ((await node.siteDocuments()) as Record<string, { erasure?: string }>)[story.item]?.erasure === 'done'
    await until('it is erased', isErased, 120_000)
  })
  for (const [path, page] of Object.entries(after)) t.false(page.includes('A name'), path)
})

test('a feed that a group names is pulled, and forgotten: the group’s page shows what there is', async (t) => {
  const release = Promise.withResolvers<void>()
  const server = await startFeedServer(t, (_, response) => {
    void release.promise.then(() =>
      response.end(
        '<?xml version="1.0"?><rss version="2.0"><channel><title>Elsewhere</title><item><title>Told there</title><link>https://e.example/</link></item></channel></rss>',
      ),
    )
  })
  const { node } = await keeper(t, 'feeds: { allow: [127.0.0.1], every: 5 }\n')
  const feeds = `${server.origin}/feed`
  const group = await publish(node, { title: 'Readers', summary: 'We.', feeds }, 'group')
  const other = await publish(node, { title: 'Others', summary: 'We.' }, 'group')
  await node.stop()
  await node.start()
  await until('the feed is asked for', () => server.requests.length > 0)
  const after = await changes(t, node, { these: [group.path], notThose: [other.path] }, async () => {
    release.resolve()
    await until('it is here', async () =>
      Object.keys(await node.siteDocuments()).some((id) => id.startsWith('feed:')),
    )
    await until('the page is another one', async () => (await node.html(group.path)).includes('Told there'))
  })
  t.true(after[group.path]?.includes('Told there'))
})
