import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { until } from '../helpers/wait.ts'
import { pages } from './folder-site.ts'
import { CLEAN, distribute, factsOf, hashesBelow, mirrored, untilCurrent, verify } from './mirror.ts'
import { startRsyncServer } from './rsync-server.ts'

test('a site is kept by rsync through a key that may do nothing else: what changes, what goes, what comes back', async (t) => {
  const server = await startRsyncServer(t)
  const all = await mirrored(t, [server.mirror])
  await all.site.change({ ...pages(300), 'tags/~ä b/index.html': 'x', 'a/$(touch x)\'"`;.html': 'y' })
  distribute(t, all)
  await untilCurrent(all, 'friends')
  t.deepEqual(await hashesBelow(server.folder), all.site.hashes)
  t.like(await verify(all, 'friends'), CLEAN)

  const before = await server.logins()
  await all.site.change({
    'articles/7/index.html': undefined,
    'index.html': '<p>Front, anew</p>',
    'new.html': 'n',
  })
  await untilCurrent(all, 'friends')
  t.deepEqual(await hashesBelow(server.folder), all.site.hashes)
  t.true((await server.logins()) - before <= 4, 'one run for each step, not for each file')

  await server.stop()
  await all.site.change({ 'articles/8/index.html': undefined, 'articles/9/index.html': 'anew' })
  await until('it is noticed', () => factsOf(all.data, 'friends').state === 'backing-off')
  t.regex(factsOf(all.data, 'friends').lastError ?? '', /cannot be reached/)
  await server.start()
  await untilCurrent(all, 'friends')
  t.deepEqual(await hashesBelow(server.folder), all.site.hashes)
})

test('what somebody did to the files there is found, and what nobody sent is named', async (t) => {
  const server = await startRsyncServer(t)
  const all = await mirrored(t, [server.mirror])
  await all.site.change(pages(20))
  distribute(t, all)
  await untilCurrent(all, 'friends')
  await writeFile(join(server.folder, 'articles/3/index.html'), '<p>Article X</p>')
  await rm(join(server.folder, 'articles/4/index.html'))
  await writeFile(join(server.folder, 'not ours.html'), 'x')
  t.like(await verify(all, 'friends'), {
    missing: ['articles/4/index.html'],
    wrong: ['articles/3/index.html'],
    foreign: ['not ours.html'],
    left: [],
  })
})

test('a host with another key than the one that is known gets nothing', async (t) => {
  const server = await startRsyncServer(t)
  const other = await startRsyncServer(t)
  const all = await mirrored(t, [{ ...server.mirror, port: other.mirror.port }])
  await all.site.change(pages(1))
  distribute(t, all)
  await until('it is refused', () => factsOf(all.data, 'friends').state === 'backing-off')
  t.regex(factsOf(all.data, 'friends').lastError ?? '', /does not let this node in/)
  t.deepEqual(await hashesBelow(other.folder), {})
})
