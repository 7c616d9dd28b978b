import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import test from 'ava'
import { producedFolder } from '../../src/mirrors/at-once.ts'
import { lockMirror } from '../../src/mirrors/lock.ts'
import { testFolder } from '../helpers/folder.ts'
import { hyperactive } from '../helpers/node.ts'
import { until } from '../helpers/wait.ts'
import { FolderSite, pages, sha256 } from './folder-site.ts'
import { distribute, factsOf, hashesBelow, untilCurrent } from './mirror.ts'

interface Found {
  name: string
  missing: string[]
  wrong: string[]
  left: string[]
  foreign: string[] | null
  code?: string
}

/** A data folder with a produced site and two mirrors of it, one of which is not there. */
async function prepare(t: ExecutionContext) {
  const data = await testFolder(t)
  const folder = await testFolder(t)
  const absent = join(folder, '..', 'hyperactive-not-there')
  await writeFile(
    join(data, 'config.yaml'),
    `mirrors:
  - { name: stick, kind: folder, folder: ${folder} }
  - { name: absent, kind: folder, folder: ${absent} }
`,
  )
  await mkdir(producedFolder(data))
  const site = new FolderSite(producedFolder(data))
  const mirror = { name: 'stick', kind: 'folder', folder } as const
  return {
    folder,
    all: { site, data, mirrors: [mirror], secrets: {} },
    run: (...args: string[]) => hyperactive(['mirror', ...args, '--data', data]),
    verify: async (...args: string[]): Promise<Found & { exit: number | null }> => {
      const { out, code, err } = await hyperactive([
        'mirror',
        'verify',
        'stick',
        ...args,
        '--json',
        '--data',
        data,
      ])
      const [found] = (JSON.parse(out || err) as { mirrors: Found[] }).mirrors
      if (!found) throw new Error(out)
      return { ...found, exit: code }
    },
  }
}

test('a mirror is brought up to date, verified and repaired by commands', async (t) => {
  const { folder, all, run, verify } = await prepare(t)
  const early = await run('sync')
  t.is(early.code, 1)
  t.regex(early.err, /no site has been produced/)
  await all.site.change(pages(10))
  await writeFile(join(producedFolder(all.data), '.hyperactive-site.json'), '{}')
  await writeFile(join(producedFolder(all.data), 'half.html.part'), 'x')
  const synced = await run('sync')
  t.is(synced.code, 1, 'one of the two is not there')
  t.regex(synced.out, /^stick {2}up to date, 11 files$/m)
  t.regex(synced.out, /^absent {2}failed: .*there is no folder/m)
  t.deepEqual(await hashesBelow(folder), all.site.hashes)
  t.like(await verify(), { exit: 0, missing: [], wrong: [], left: [], foreign: [] })

  await all.site.change({ 'articles/9/index.html': undefined })
  t.is((await run('sync', 'stick')).code, 0)
  await writeFile(join(folder, 'articles/3/index.html'), '<p>Article X</p>')
  await rm(join(folder, 'articles/4/index.html'))
  await mkdir(join(folder, 'articles/9'), { recursive: true })
  await writeFile(join(folder, 'articles/9/index.html'), 'back from somewhere')
  await writeFile(join(folder, '.hyperactive-0123456789abcdef.new'), 'half')
  await writeFile(join(folder, '.hyperactive/files-0/all.json'), '{}')
  await writeFile(join(folder, 'theirs.txt'), 'x')
  const found = await verify()
  t.like(found, {
    exit: 1,
    missing: ['articles/4/index.html'],
    wrong: ['articles/3/index.html', '.hyperactive/files-0/all.json'],
    foreign: ['theirs.txt'],
  })
  t.deepEqual(found.left.sort(), ['.hyperactive-0123456789abcdef.new', 'articles/9/index.html'])
  t.like(await verify('--repair'), { exit: 0, missing: [], wrong: [], left: [], foreign: ['theirs.txt'] })
  t.deepEqual(await hashesBelow(folder), { ...all.site.hashes, 'theirs.txt': sha256('x') })
  const text = (await run('verify', 'stick')).out
  t.regex(text, /foreign {3}1\n {4}"theirs.txt"/)
})

test('commands work beside a distributor, and wait for each other', async (t) => {
  const { folder, all, run, verify } = await prepare(t)
  await all.site.change(pages(10))
  const stop = distribute(t, all)
  await untilCurrent(all, 'stick')
  await writeFile(join(folder, 'articles/3/index.html'), 'changed by somebody')
  t.like(await verify('--repair'), { exit: 0 })
  await all.site.change({ 'index.html': 'anew' })
  await untilCurrent(all, 'stick')
  t.deepEqual(await hashesBelow(folder), all.site.hashes)
  await until('it is written down', () => factsOf(all.data, 'stick').behind === 0)
  const listed = JSON.parse((await run('list', '--json')).out) as { mirrors: Record<string, unknown>[] }
  t.like(listed.mirrors[0], { name: 'stick', kind: 'folder', files: 11, behind: 0 })
  t.regex((await run('list')).out, /^stick {2}folder .*last success \d{4}-.*\nabsent {2}folder .*never/)
  await stop()

  const lock = await lockMirror(all.data, 'stick', { mostMs: 0, signal: new AbortController().signal })
  await t.throwsAsync(lockMirror(all.data, 'stick', { mostMs: 100, signal: new AbortController().signal }), {
    code: 'mirror_busy',
  })
  await all.site.change({ 'index.html': 'once more' })
  const syncing = run('sync', 'stick')
  lock[Symbol.dispose]()
  t.is((await syncing).code, 0)
  t.deepEqual(await hashesBelow(folder), all.site.hashes)
})

test('an unknown mirror is told; without mirrors the commands say so', async (t) => {
  const { run } = await prepare(t)
  const { code, err } = await run('verify', 'nobody')
  t.is(code, 1)
  t.regex(err, /there is no mirror "nobody"/)
  const empty = await hyperactive(['mirror', 'list', '--data', await testFolder(t)])
  t.regex(empty.out, /no mirrors/)
})
