import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { loadConfig } from '../../src/config/config.ts'
import { Changes } from '../../src/mirrors/changes.ts'
import { headersFor } from '../../src/mirrors/headers.ts'
import { digitsFor, prefixes, readHead, readPart } from '../../src/mirrors/manifest.ts'
import { nameProblem, siteNameProblem } from '../../src/mirrors/names.ts'
import { differenceOf, planChanges } from '../../src/mirrors/plan.ts'
import type { ProducedFile } from '../../src/produce/produced-site.ts'
import { testFolder } from '../helpers/folder.ts'

const HOSTILE = [
  '',
  '/etc/passwd',
  '../outside.html',
  'a/../../outside.html',
  'a/./b.html',
  'a//b.html',
  'a/',
  '-rf',
  '--delete',
  'a\nb.html',
  'a\u0000b.html',
  'a\\..\\b.html',
  'a\u2028b.html',
  '\ud800.html',
  'x'.repeat(300),
  'x/'.repeat(600),
]

function file(sha256: string): ProducedFile {
  return { sha256, bytes: 1 }
}

test('names that could mean another place, an option or two names are refused', (t) => {
  for (const name of HOSTILE) t.truthy(nameProblem(name), JSON.stringify(name))
  for (const name of ['index.html', 'tags/-5/index.html', 'tags/~ä b/it\'s "so".html', '.well-known/x'])
    t.is(nameProblem(name), undefined, name)
  t.truthy(siteNameProblem('.hyperactive/mirror.json'))
  t.truthy(siteNameProblem('a/.hyperactive-0123456789abcdef.new'))
})

test('what is gone goes first, then what pages need, then pages as told, and old style sheets last', (t) => {
  const site = new Map([
    ['a.html', file('new')],
    ['b.html', file('new')],
    ['same.html', file('same')],
    ['assets/site-aaaaaaaaaaaa.css', file('new')],
    ['../x', file('new')],
  ])
  const known = new Map([
    ['a.html', file('old')],
    ['gone.html', file('old')],
    ['same.html', file('same')],
    ['assets/site-bbbbbbbbbbbb.css', file('old')],
  ])
  const told = ['b.html', 'a.html', '../x', 'same.html', 'assets/site-bbbbbbbbbbbb.css']
  const { batches, settled, refused } = planChanges(
    [...told, 'assets/site-aaaaaaaaaaaa.css', 'gone.html', 'never.html'],
    (path) => site.get(path),
    (path) => known.get(path),
  )
  t.deepEqual(
    batches.map(({ remove, put }) => [remove, [...put.keys()]]),
    [
      [['gone.html'], ['assets/site-aaaaaaaaaaaa.css']],
      [[], ['b.html', 'a.html']],
      [['assets/site-bbbbbbbbbbbb.css'], []],
    ],
  )
  t.deepEqual(settled, ['../x', 'same.html', 'never.html'])
  t.deepEqual([...refused.keys()], ['../x'])
  t.deepEqual(differenceOf(site, known).slice(0, 3), ['a.html', 'gone.html', 'assets/site-bbbbbbbbbbbb.css'])
})

test('small pictures go before pages, large ones and films after them, and what is hidden first of all', (t) => {
  const [small, film, hidden] = ['a', 'b', 'c'].map((letter) => `files/${letter.repeat(64)}.mp4`) as [
    string,
    string,
    string,
  ]
  const site = new Map<string, ProducedFile>([
    ['index.html', file('1')],
    [small, file('2')],
    [film, { sha256: '3', bytes: 500_000_000 }],
  ])
  const { batches } = planChanges(
    ['index.html', film, small, hidden],
    (path) => site.get(path),
    (path) => (path === hidden ? file('4') : undefined),
  )
  t.deepEqual(
    batches.map(({ remove, put }) => [remove, [...put.keys()]]),
    [
      [[hidden], [small]],
      [[], ['index.html']],
      [[], [film]],
    ],
  )
})

test('changes: each file once, what was told last first, and what was told meanwhile stays', (t) => {
  const changes = new Changes()
  changes.add(['a', 'b', 'c'])
  const { calls } = changes
  changes.add(['hidden', 'b'])
  t.deepEqual(changes.ordered(), ['hidden', 'b', 'a', 'c'])
  changes.settle(['a', 'b'], calls)
  t.deepEqual(changes.ordered(), ['hidden', 'b', 'c'])
  t.is(changes.size, 3)
})

test('the parts of the manifest stay small, whatever the size of the site, and are never fewer than before', (t) => {
  t.deepEqual(
    [1, 256, 257, 4096, 4097, 65_537, 1e9].map((files) => digitsFor(files)),
    [0, 0, 1, 1, 2, 3, 4],
  )
  t.is(digitsFor(1, 2), 2)
  t.is(prefixes(2).length, 256)
  t.deepEqual(prefixes(1).slice(-1), ['f'])
})

test('a manifest that somebody else wrote leads nowhere else', async (t) => {
  const folder = await testFolder(t)
  await mkdir(join(folder, '.hyperactive/files-0'), { recursive: true })
  const write = (name: string, value: unknown) =>
    writeFile(join(folder, '.hyperactive', name), typeof value === 'string' ? value : JSON.stringify(value))
  const right = ['a'.repeat(64), 1]
  await write('files-0/all.json', { 'a.html': right, '../b.html': right, '.hyperactive/mirror.json': right })
  t.deepEqual(
    (await readPart(folder, 0, ''))?.map(([path]) => path),
    ['a.html'],
  )
  for (const bad of ['{', { 'a.html': ['short', 1] }, { 'a.html': ['a'.repeat(64), -1] }, [], 'null']) {
    await write('files-0/all.json', bad)
    t.is(await readPart(folder, 0, ''), undefined)
  }
  for (const bad of ['', '{}', { format: 1, id: '../..', digits: 0, files: 0, at: '' }, 'x'.repeat(20_000)]) {
    await write('mirror.json', bad)
    t.is(await readHead(folder), undefined)
  }
})

test('pages are asked for again each time, what is named by its hash never', (t) => {
  t.deepEqual(headersFor('a/index.html'), {
    contentType: 'text/html; charset=utf-8',
    cacheControl: 'no-cache',
  })
  t.regex(headersFor('assets/site-0123456789ab.css').cacheControl, /immutable/)
  t.is(headersFor('assets/site.css').cacheControl, 'no-cache')
  t.is(headersFor('feed.atom').contentType, 'application/atom+xml; charset=utf-8')
  t.is(headersFor('x.unknown').contentType, 'application/octet-stream')
})

const BAD_SETTINGS: [yaml: string, problem: RegExp][] = [
  ['{ name: a, kind: rsync, host: -oProxyCommand=x, folder: /srv }', /mirrors\.0\.host/],
  ['{ name: a, kind: rsync, host: a.example, user: -l, folder: /srv }', /mirrors\.0\.user/],
  ['{ name: a, kind: rsync, host: a.example, folder: "/srv/$(x)" }', /mirrors\.0\.folder/],
  ['{ name: a, kind: rsync, host: a.example, folder: ":module/" }', /mirrors\.0\.folder/],
  ['{ name: a, kind: rsync, host: a.example, folder: /srv, keyFile: "k -o ProxyCommand=x" }', /keyFile/],
  ['{ name: a, kind: folder, folder: relative }', /mirrors\.0\.folder/],
  ['{ name: ../a, kind: folder, folder: /srv }', /mirrors\.0\.name/],
  ['{ name: a, kind: ftp }', /mirrors\.0\.kind/],
  ['{ name: a, kind: webdav, url: "https://me:hush@a.example/" }', /mirrors\.0\.url/],
  ['{ name: a, kind: webdav, url: "file:///srv" }', /mirrors\.0\.url/],
  ['{ name: a, kind: webdav, url: "https://a.example/", password: x }', /both username and password/],
  ['{ name: a, kind: s3, endpoint: "https://a.example", bucket: b-b }', /needs accessKeyId/],
  ['{ name: a, kind: s3, endpoint: "https://a.example", bucket: ../b }', /mirrors\.0\.bucket/],
  ['{ name: a, kind: folder, folder: /a }, { name: a, kind: folder, folder: /b }', /name of its own/],
]

test('settings that could mean an option, a command or another place are refused', async (t) => {
  const data = await testFolder(t)
  for (const [yaml, problem] of BAD_SETTINGS) {
    await writeFile(join(data, 'config.yaml'), `mirrors: [${yaml}]\n`)
    const error = t.throws(() => loadConfig({ data }, {}), { code: 'bad_config' }, yaml)
    t.regex(error?.message ?? '', problem)
    t.false(/hush/.test(error?.message ?? ''), 'and told without what is secret')
  }
})

test('secrets are kept apart from settings, and may be in files of their own', async (t) => {
  const data = await testFolder(t)
  const file = join(data, 'password')
  await writeFile(file, 'very-secret\n')
  await writeFile(
    join(data, 'config.yaml'),
    `mirrors:
  - { name: dav, kind: webdav, url: "https://a.example/site/", username: me, passwordFile: ${file} }
  - { name: s3, kind: s3, endpoint: "https://a.example", bucket: our-site, accessKeyId: id, secretAccessKey: very-secret }
`,
  )
  const { config, secrets } = loadConfig({ data }, {})
  t.false(JSON.stringify(config).includes('very-secret'))
  t.deepEqual(secrets.mirrors, {
    dav: { password: 'very-secret' },
    s3: { accessKeyId: 'id', secretAccessKey: 'very-secret' },
  })
  t.like(config.mirrors[0], { url: 'https://a.example/site', mkcol: true })
  await writeFile(file, '')
  t.throws(() => loadConfig({ data }, {}), { code: 'bad_config', message: /passwordFile/ })
  t.is(await readFile(file, 'utf8'), '')
})
