import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { until } from '../helpers/wait.ts'
import { pages } from './folder-site.ts'
import { CLEAN, distribute, factsOf, hashesBelow, mirrored, untilCurrent, verify } from './mirror.ts'
import { startWebdavServer } from './webdav-server.ts'

test('a site is kept on a WebDAV server: folders are made, and what changes costs what changes', async (t) => {
  const server = await startWebdavServer(t, { listing: true })
  const all = await mirrored(t, [server.mirror], server.secrets)
  await all.site.change({ ...pages(300), 'tags/~ä b/100%+#?.html': 'x' })
  distribute(t, all)
  await untilCurrent(all, 'dav')
  t.deepEqual(await hashesBelow(server.folder), all.site.hashes)
  t.like(await verify(all, 'dav'), CLEAN)

  const before = (await server.requests()).length
  await all.site.change({
    'articles/7/index.html': undefined,
    'index.html': '<p>Front, anew</p>',
    'articles/8/index.html': '<p>Anew</p>',
  })
  await untilCurrent(all, 'dav')
  t.deepEqual(await hashesBelow(server.folder), all.site.hashes)
  const asked = (await server.requests()).slice(before)
  t.deepEqual(asked.slice(0, 3).sort(), [
    'DELETE /site/articles/7/index.html 204',
    'PUT /site/articles/8/index.html 204',
    'PUT /site/index.html 204',
  ])
  t.true(asked[0]?.startsWith('DELETE'), 'what went goes first')
  t.true(asked.length <= 3 + 4, 'and the parts of the manifest and its head follow')
  t.true(asked.slice(3).every((line) => line.startsWith('PUT /site/.hyperactive/')))

  await writeFile(join(server.folder, 'articles/3/index.html'), '<p>Article X</p>')
  await rm(join(server.folder, 'articles/4/index.html'))
  await writeFile(join(server.folder, 'not ours.html'), 'x')
  await writeFile(join(server.folder, 'articles/7/index.html'), 'back from somewhere')
  t.like(await verify(all, 'dav'), {
    missing: ['articles/4/index.html'],
    wrong: ['articles/3/index.html'],
    left: ['articles/7/index.html'],
    foreign: ['not ours.html'],
  })
})

test('a server that takes PUT and DELETE and nothing else will do; it does not say what it has', async (t) => {
  const server = await startWebdavServer(t, { listing: false })
  const all = await mirrored(t, [server.mirror], server.secrets)
  await all.site.change(pages(20))
  distribute(t, all)
  await untilCurrent(all, 'dav')
  await all.site.change({ 'articles/7/index.html': undefined, 'index.html': '<p>Front, anew</p>' })
  await untilCurrent(all, 'dav')
  t.deepEqual(await hashesBelow(server.folder), all.site.hashes)
  await rm(join(server.folder, 'articles/4/index.html'))
  const found = await verify(all, 'dav')
  t.deepEqual([found.missing, found.foreign], [['articles/4/index.html'], undefined])
})

test('a file that the server does not take is told, and keeps nothing else waiting', async (t) => {
  const server = await startWebdavServer(t, { listing: true })
  const all = await mirrored(t, [server.mirror], server.secrets)
  await all.site.change({ ...pages(3), 'large.html': 'x'.repeat(200_000) })
  distribute(t, all)
  await until('it is told', () => factsOf(all.data, 'dav').refused === 1)
  t.like(factsOf(all.data, 'dav'), { state: 'idle', refusal: 'large.html: PUT was answered with 413' })
  await all.site.change({ 'large.html': 'smaller', 'index.html': 'anew' })
  await untilCurrent(all, 'dav')
  await until('nothing is refused', () => factsOf(all.data, 'dav').refused === undefined)
})

test('a page that a server takes in an older version only is taken off: that may show what was hidden', async (t) => {
  const server = await startWebdavServer(t, { listing: true })
  const all = await mirrored(t, [server.mirror], server.secrets)
  await all.site.change({ ...pages(3), 'tags/x.html': 'with what is to be hidden' })
  distribute(t, all)
  await untilCurrent(all, 'dav')
  const stillThere = async () => 'tags/x.html' in (await hashesBelow(server.folder))
  await all.site.change({ 'tags/x.html': 'x'.repeat(200_000), 'index.html': 'anew' })
  await until('it is told', () => factsOf(all.data, 'dav').refused === 1)
  t.false(await stillThere())
  t.like(factsOf(all.data, 'dav'), { state: 'idle', refusal: 'tags/x.html: PUT was answered with 413' })
  t.like(await verify(all, 'dav'), { ...CLEAN, behind: 1 })
  t.is((await hashesBelow(server.folder))['index.html'], all.site.hashes['index.html'], 'the others came')

  await all.site.change({ 'tags/x.html': 'y'.repeat(200_000) })
  const asked = () => server.requests().then((all) => all.filter((line) => line.includes('/tags/x.html')))
  await until('it was tried again', async () => (await asked()).at(-1) === 'PUT /site/tags/x.html 413')
  t.is((await asked()).filter((line) => line.startsWith('DELETE')).length, 1)
  await all.site.change({ 'tags/x.html': 'small' })
  await untilCurrent(all, 'dav')
  t.true(await stillThere())
})

test('a wrong password is told without being told, and a server that is back is sent what piled up, each file once', async (t) => {
  const server = await startWebdavServer(t, { listing: true })
  const all = await mirrored(t, [server.mirror], { dav: { password: 'very-secret' } })
  await all.site.change(pages(3))
  const stop = distribute(t, all)
  await until('it is refused', () => factsOf(all.data, 'dav').state === 'backing-off')
  const { lastError = '' } = factsOf(all.data, 'dav')
  t.regex(lastError, /does not let this node in/)
  t.false(lastError.includes('very-secret'))
  await stop()

  Object.assign(all.secrets, server.secrets)
  distribute(t, all)
  await untilCurrent(all, 'dav')
  await server.stop()
  for (let round = 0; round < 100; round += 1) await all.site.change({ 'index.html': `round ${round}` })
  await until('it is behind', () => factsOf(all.data, 'dav').behind === 1)
  const before = (await server.requests()).length
  await server.start()
  await untilCurrent(all, 'dav')
  const sent = (await server.requests()).slice(before).filter((line) => line.startsWith('PUT /site/index'))
  t.deepEqual(sent, ['PUT /site/index.html 204'])
  t.is((await hashesBelow(server.folder))['index.html'], all.site.hashes['index.html'])
})
