import { join } from 'node:path'
import nunjucks from 'nunjucks'
import { LANGUAGES } from '../i18n/messages.ts'
import { wordingOf } from '../i18n/wording.ts'
import type { Wording } from '../i18n/wording.ts'
import { ASSETS, SCRIPTS } from './assets.ts'
import type { ScriptName } from './assets.ts'
import type { NamedLink } from './models.ts'

const TEMPLATES = join(import.meta.dirname, '../templates')

const FEED_TYPES = {
  atom: 'application/atom+xml',
  rss: 'application/rss+xml',
  json: 'application/feed+json',
}

/** What every page says of the languages that it is there in. */
const SPOKEN = LANGUAGES.map((code) => {
  const { direction, languageName } = wordingOf(code)
  return { code, name: languageName(code), direction }
})

const environment = new nunjucks.Environment(new nunjucks.FileSystemLoader(TEMPLATES), {
  autoescape: true,
  throwOnUndefined: false,
  trimBlocks: true,
  lstripBlocks: true,
})

/** Which addresses only other nodes have, and where they are there; the first place is the one to link to. */
export interface MirrorLinks {
  isElsewhere(address: string): boolean
  places(path: string): { name: string; address: string }[]
}

/** What every page knows of its site and of its reader's language. */
export interface Shell {
  site: { name: string; description: string; language: string }
  /** The public address, without a slash at the end. */
  url: string
  wording: Wording
  /** "/es" where the address names the language, else "". */
  prefix: string
  /** The page's address without the prefix. */
  path: string
  /** Who is signed in. */
  person: { name: string; moderates: boolean; edits: boolean } | undefined
  /** Pages that stand in the menu. */
  menu: readonly NamedLink[]
  /** What editors put at the foot of every page: HTML. */
  foot: readonly string[]
  /** Set on a node that is only read: where else things are done. */
  mirror?: MirrorLinks | undefined
  /** What makes this page better in a browser that runs scripts. */
  scripts: readonly ScriptName[]
}

/** Renders a template; everything in the model is escaped unless the template says that it is HTML already. */
export function renderPage(template: string, shell: Shell, model: object): string {
  const { wording, prefix, path, mirror } = shell
  const { t, kind, field, hint, languageName } = wording
  const languages = SPOKEN.map(({ code, name, direction }) => ({
    code,
    name,
    path: `/${code}${path}`,
    direction,
    current: code === wording.language,
  }))
  return environment.render(`${template}.njk`, {
    ...shell,
    assets: ASSETS,
    scripts: shell.scripts.map((name) => SCRIPTS[name].path),
    feedTypes: FEED_TYPES,
    here: path,
    t,
    kindName: kind,
    fieldName: field,
    hint,
    languageName,
    mirrored: mirror?.places(prefix + path),
    to(address: string) {
      if (!address.startsWith('/')) return address
      const there = mirror?.isElsewhere(address) ? mirror.places(prefix + address) : []
      return there[0]?.address ?? prefix + address
    },
    interfaceLanguage: wording.language,
    direction: wording.direction,
    languages,
    ...model,
  })
}
