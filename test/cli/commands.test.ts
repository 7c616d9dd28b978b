import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import test from 'ava'
import { testFolder } from '../helpers/folder.ts'
import { publish } from '../helpers/forms.ts'
import { hyperactive, startNode } from '../helpers/node.ts'

const COMMANDS = [
  ['start'],
  ['seed'],
  ['import'],
  ['export'],
  ['revise'],
  ['peer', 'invite'],
  ['peer', 'add'],
  ['peer', 'list'],
  ['peer', 'test'],
  ['peer', 'remove'],
  ['mirror', 'list'],
  ['mirror', 'verify'],
  ['mirror', 'sync'],
  ['media', 'list'],
  ['media', 'verify'],
  ['media', 'fetch'],
  ['media', 'prune'],
  ['rebuild'],
  ['doctor'],
  ['store', 'move'],
  ['status'],
  ['edit-link'],
  ['config', 'check'],
  ['version'],
]

/** One line, ours, that says what is wrong. */
const LINE = /^hyperactive: [^\n]+\n$/

test('every command explains itself with an example', async (t) => {
  for (const command of COMMANDS) {
    const { code, out } = await hyperactive([...command, '--help'])
    t.is(code, 0)
    t.regex(out, new RegExp(`Examples?:\n  \\$ hyperactive ${command.join(' ')}`), command.join(' '))
  }
})

test('an unknown command or flag exits with 2', async (t) => {
  t.is((await hyperactive(['fly'])).code, 2)
  t.is((await hyperactive(['start', '--wings'])).code, 2)
  t.is((await hyperactive(['import'])).code, 2)
})

test('settings: file < environment < flags, all defaults shown, secrets masked', async (t) => {
  const data = await testFolder(t)
  await writeFile(join(data, 'config.yaml'), 'port: 1111\nhost: 127.0.0.9\nsite:\n  name: From the file\n')
  const environment = {
    HYPERACTIVE_DATA: data,
    HYPERACTIVE_PORT: '2222',
    COUCHDB_URL: 'http://admin:very-secret@127.0.0.1:5984',
  }
  const { out, code } = await hyperactive(['config', 'check', '--json', '--host', '127.0.0.7'], environment)
  t.is(code, 0)
  t.false(out.includes('very-secret'))
  const { settings } = JSON.parse(out) as { settings: Record<string, unknown> }
  t.like(settings, {
    port: 2222,
    host: '127.0.0.7',
    site: { name: 'From the file', language: 'en' },
    limits: { documentBytes: 2_097_152 },
    couchdb: { url: 'http://admin:***@127.0.0.1:5984/' },
  })
})

test('wrong settings are told in one line and exit with 2', async (t) => {
  const data = await testFolder(t)
  await writeFile(join(data, 'config.yaml'), 'colour: red\n')
  const unknown = await hyperactive(['config', 'check'], { HYPERACTIVE_DATA: data })
  t.is(unknown.code, 2)
  t.regex(unknown.err, LINE)
  t.regex(unknown.err, /colour is not a setting/)
  const wrong: Record<string, string>[] = [
    { HYPERACTIVE_PORT: 'eighty' },
    { HYPERACTIVE_COLOUR: 'red' },
    { HYPERACTIVE_URL: 'ftp://x' },
    { HYPERACTIVE_CONFIG: join(data, 'nowhere.yaml') },
  ]
  for (const environment of wrong) {
    const { code, err } = await hyperactive(['config', 'check'], environment)
    t.is(code, 2)
    t.regex(err, LINE)
  }
})

test('a peers file that is not valid is told with its line, and the node does not start', async (t) => {
  const data = await testFolder(t)
  const peers = join(data, 'peers.yaml')
  await writeFile(peers, 'peers:\n  - name: a\n    url: https://a.example\n  - name: a\n')
  const { code, err } = await hyperactive(['start', '--data', data, '--peers', peers, '--port', '0'])
  t.is(code, 2)
  t.regex(err, /peers\.yaml:4: the name "a" occurs twice/)
})

test('a taken port is told', async (t) => {
  const server = createServer().listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  const data = await testFolder(t)
  const { code, err } = await hyperactive([
    'start',
    '--data',
    data,
    '--peers',
    join(data, 'p.yaml'),
    '--port',
    String(port),
  ])
  t.is(code, 1)
  t.regex(err, LINE)
  t.regex(err, /is taken; choose another with --port/)
})

test('a data folder that is locked, of another version or not a folder is told', async (t) => {
  const node = await startNode(t)
  const locked = await hyperactive(['start', '--data', node.data, '--peers', node.peers, '--port', '0'])
  t.is(locked.code, 1)
  t.regex(locked.err, LINE)
  t.regex(locked.err, /another process uses the data folder/)

  const other = await testFolder(t)
  await writeFile(join(other, 'format'), '99\n')
  const version = await hyperactive(['start', '--data', other, '--port', '0'])
  t.is(version.code, 1)
  t.regex(version.err, /has format "99"/)

  await writeFile(join(other, 'a-file'), '')
  const file = await hyperactive(['start', '--data', join(other, 'a-file'), '--port', '0'])
  t.is(file.code, 1)
  t.regex(file.err, LINE)
  t.regex(file.err, /cannot be used/)
})

test('a store that is damaged is told', async (t) => {
  const data = await testFolder(t)
  await mkdir(join(data, 'store'), { recursive: true })
  await writeFile(join(data, 'store', 'databases.json'), 'not json')
  await chmod(data, 0o700)
  const { code, err } = await hyperactive([
    'start',
    '--data',
    data,
    '--peers',
    join(data, 'p.yaml'),
    '--port',
    '0',
  ])
  t.is(code, 1)
  t.regex(err, /cannot be opened|cannot be used|cannot be read/)
})

test('commands work beside the running node: seed, import, status, edit-link, and rebuild asks to stop it', async (t) => {
  const node = await startNode(t)
  const folder = await testFolder(t)
  await writeFile(join(folder, '2020-01-02-a.md'), '---\ntitle: Imported\n---\nText')
  await writeFile(join(folder, 'b.md'), '---\ntitle: Draft\ndraft: true\n---\nText')
  const imported = await node.run('import', folder, '--json')
  t.is(imported.code, 0)
  const report = JSON.parse(imported.out) as { imported: { item: string }[]; skipped: object[] }
  t.is(report.imported.length, 1)
  t.deepEqual(report.skipped, [{ source: 'b.md', reason: 'is a draft' }])
  t.regex(
    (await node.run('import', folder)).out,
    /^0 imported, 0 comments, 1 here already, 1 skipped\n {2}skipped b\.md: is a draft\n$/,
  )

  const status = JSON.parse((await node.run('status', '--json')).out) as {
    running: boolean
    ledgerDocuments: number
  }
  t.like(status, { running: true, ledgerDocuments: 1 })
  const link = (await node.run('edit-link', report.imported[0]?.item ?? '')).out.trim()
  t.is((await node.page(new URL(link).pathname)).status, 200)
  const mine = await publish(node, {})
  t.regex((await node.run('edit-link', mine.item)).err, /only its author has its edit link/)
  t.regex((await node.run('edit-link', 'nothing')).err, /there is no item/)
  t.regex((await node.run('rebuild')).err, /stop it first/)

  const before = await node.siteDocuments()
  await node.stop()
  const rebuilt = await node.run('rebuild', '--json')
  t.is(rebuilt.code, 0, rebuilt.err)
  t.regex((await node.run('status')).out, /^not running/)
  await node.start()
  t.deepEqual(await node.siteDocuments(), before)
})

test('version prints the version', async (t) => {
  t.regex((await hyperactive(['version'])).out, /^\d+\.\d+\.\d+\n$/)
  t.truthy((JSON.parse((await hyperactive(['version', '--json'])).out) as { version: string }).version)
})
