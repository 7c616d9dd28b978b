import { access, readdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import test from 'ava'
import { loadConfig } from '../../src/config/config.ts'

const ROOT = join(import.meta.dirname, '../..')

async function sources(folder: string): Promise<string> {
  const names = await readdir(join(ROOT, folder), { recursive: true })
  const files = names.filter((name) => name.endsWith('.ts')).map((name) => join(ROOT, folder, name))
  return (await Promise.all(files.map((file) => readFile(file, 'utf8')))).join('\n')
}

function page(name: string): Promise<string> {
  return readFile(join(ROOT, 'docs', name), 'utf8')
}

function missing(names: Iterable<string>, text: string): string[] {
  return [...new Set(names)].filter((name) => !text.includes(`\`${name}`))
}

test('every error code is explained', async (t) => {
  const matches = (await sources('src')).matchAll(/new HyperactiveError\(\s*'([a-z_]+)'/g)
  const codes = [...matches].map(([, code = '']) => code)
  t.true(codes.length > 20)
  t.deepEqual(missing(codes, await page('errors.md')), [])
})

test('every route is listed', async (t) => {
  const matches = (await sources('src/web')).matchAll(/router\.(get|post)\(\s*'([^']+)'/g)
  const routes = [...matches].map(
    ([, method = '', path = '']) => `${method.toUpperCase()} ${path.replaceAll(/:(\w+)/g, '<$1>')}`,
  )
  t.true(routes.length > 10)
  t.deepEqual(missing(routes, await page('urls.md')), [])
})

test('every setting is listed with its default', async (t) => {
  const settings = (prefix: string, value: object): string[] =>
    Object.entries(value).flatMap(([name, inner]: [string, unknown]) =>
      typeof inner === 'object' && inner !== null && !Array.isArray(inner)
        ? settings(`${prefix}${name}.`, inner)
        : [`${prefix}${name}`],
    )
  const { file: _, ...config } = loadConfig({}, {}).config
  const text = await page('configuration.md')
  t.deepEqual(missing(settings('', config), text), [])
  for (const [section, values] of Object.entries({
    limits: config.limits,
    replication: config.replication,
  })) {
    for (const [name, value] of Object.entries(values)) {
      t.regex(text, new RegExp(`\`${section}\\.${name}\` .*\\| ${String(value)} +\\|`))
    }
  }
})

test('every link between the pages leads somewhere', async (t) => {
  const folders = ['', 'docs', 'docs/decisions', 'replication']
  const names = await Promise.all(
    folders.map(async (folder) => (await readdir(join(ROOT, folder))).map((name) => join(folder, name))),
  )
  const pages = names.flat().filter((name) => name.endsWith('.md'))
  t.true(pages.length > 10)
  for (const name of pages) {
    const text = await readFile(join(ROOT, name), 'utf8')
    for (const [, target = ''] of text.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)) {
      await t.notThrowsAsync(access(join(ROOT, dirname(name), target)), `${name}: ${target}`)
    }
  }
})
