import { mkdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { loadConfig } from '../../src/config/config.ts'
import { MirrorAtOnce, producedFolder, producedSite } from '../../src/mirrors/at-once.ts'
import { lockMirror } from '../../src/mirrors/lock.ts'
import { MirrorRecord } from '../../src/mirrors/record.ts'
import { testFolder } from '../helpers/folder.ts'
import { FolderSite, pages, sha256 } from './folder-site.ts'
import { distribute, hashesBelow, untilCurrent, verify } from './mirror.ts'

/** Ten batches. */
const MANY = 1999

test('a command that sends much lets the node in after each batch, and undoes nothing that it does', async (t) => {
  const data = await testFolder(t)
  const folder = await testFolder(t)
  await mkdir(producedFolder(data))
  const site = new FolderSite(producedFolder(data))
  await site.change(pages(MANY))
  const mirror = { name: 'stick', kind: 'folder', folder } as const
  const lock = () => lockMirror(data, 'stick', { mostMs: 60_000, signal: new AbortController().signal })
  const count = async () => Object.keys(await hashesBelow(folder)).length
  const loaded = loadConfig({ data }, {})

  let held = await lock()
  await using command = new MirrorAtOnce(loaded, mirror, await producedSite(data))
  const syncing = command.sync()
  let sent = 0
  while (sent === 0) {
    held[Symbol.dispose]()
    held = await lock()
    sent = await count()
  }
  t.true(sent < MANY, `${sent} files were sent before anybody else had a turn`)
  // Between two batches the site changes, and the node has sent some of it.
  const all = { site, data, mirrors: [mirror], secrets: {} }
  const there = Object.keys(await hashesBelow(folder))
  const [first = '', second = ''] = Object.keys(site.hashes)
    .filter((path) => !there.includes(path))
    .reverse()
  const third = there.find((path) => path !== 'index.html') ?? ''
  await site.change({ [first]: 'hidden', [second]: undefined, [third]: undefined })
  await rm(join(folder, third))
  {
    using record = MirrorRecord.open(data, 'stick')
    record.removed([third])
  }
  held[Symbol.dispose]()
  t.like(await syncing, { refused: 0 })
  t.is(await readFile(join(folder, first), 'utf8'), 'hidden')
  t.deepEqual(await hashesBelow(folder), site.hashes)
  using record = MirrorRecord.open(data, 'stick')
  t.is(record.get(first)?.sha256, sha256('hidden'), 'and what is written down is what is there')
  t.is(record.get(second), undefined)
  t.like(await verify(all, 'stick'), { missing: [], wrong: [], left: [], foreign: [], behind: 0 })
  distribute(t, all)
  await untilCurrent(all, 'stick')
})
