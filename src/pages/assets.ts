import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createRequire, stripTypeScriptTypes } from 'node:module'
import { join } from 'node:path'

const FILES = join(import.meta.dirname, '../templates/assets')
const TUS = createRequire(import.meta.url).resolve('tus-js-client/dist/tus.min.js')
const SCRIPT_SOURCES = join(import.meta.dirname, '../browser')

/** A file that pages refer to; its address carries a hash of what it is made of, so it may be kept for ever. */
export interface Asset {
  path: string
  type: string
  readonly body: Buffer
}

/** Style sheet and icon. */
export const ASSETS = {
  css: asset('site.css', 'text/css; charset=utf-8', readFileSync(join(FILES, 'site.css'))),
  icon: asset('icon.svg', 'image/svg+xml', readFileSync(join(FILES, 'icon.svg'))),
} as const satisfies Record<string, Asset>

/**
 * What makes a page that works without it better in a browser that runs scripts. They are written in TypeScript, which
 * Node takes off as it does for the program itself.
 */
export const SCRIPTS = {
  count: script('count'),
  passkey: script('passkey'),
  prove: script('prove'),
  work: script('work'),
  queue: script('queue'),
  live: script('live'),
  upload: script('upload'),
  hideFaces: script('hide-faces'),
  // The library as it is given out for browsers: a page's script loads it when a file is to be sent.
  tus: asset('tus.js', 'text/javascript; charset=utf-8', readFileSync(TUS)),
} as const satisfies Record<string, Asset>

export type ScriptName = keyof typeof SCRIPTS

/** Its types are taken off when somebody asks for it: the address says of which source, and by which version. */
function script(name: string): Asset {
  const source = readFileSync(join(SCRIPT_SOURCES, `${name}.ts`), 'utf8')
  const from = Buffer.from(`${process.versions.amaro ?? process.version}\n${source}`)
  let body: Buffer | undefined
  return {
    path: addressOf(`${name}.js`, from),
    type: 'text/javascript; charset=utf-8',
    get body() {
      body ??= Buffer.from(stripTypeScriptTypes(source))
      return body
    },
  }
}

function asset(name: string, type: string, body: Buffer): Asset {
  return { path: addressOf(name, body), type, body }
}

function addressOf(name: string, content: Buffer): string {
  const hash = createHash('sha256').update(new Uint8Array(content)).digest('hex').slice(0, 12)
  const dot = name.lastIndexOf('.')
  return `/assets/${name.slice(0, dot)}-${hash}${name.slice(dot)}`
}
