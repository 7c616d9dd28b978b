import type { Middleware, ParameterizedContext } from 'koa'
import { allows } from '../accounts/permissions.ts'
import { chooseLanguage, languageInPath } from '../i18n/choose.ts'
import { wordingOf } from '../i18n/wording.ts'
import type { Wording } from '../i18n/wording.ts'
import type { ScriptName } from '../pages/assets.ts'
import { renderPage } from '../pages/render.ts'
import type { Shell } from '../pages/render.ts'
import type { WebContext } from './context.ts'
import { Frame } from './frame.ts'
import { mayKeep } from './kept-pages.ts'
import { personOf } from './people/person.ts'
import { allow } from './security.ts'

/** A request with the parts of its address that the route names. */
export type PageRequest = ParameterizedContext & { params: Record<string, string | undefined> }

interface Spoken {
  wording: Wording
  prefix: string
}

/**
 * Finds the language to answer in: the one that the address begins with (`/es/newswire`), which is then taken off, or
 * else the one that suits the reader's browser. Nothing is remembered, so no cookie is needed.
 */
export function speak(web: Pick<WebContext, 'config'>): Middleware {
  return async (ctx, next) => {
    const named = languageInPath(ctx.path)
    if (named) ctx.path = named.rest
    else ctx.vary('Accept-Language')
    const language = named?.language ?? chooseLanguage(ctx.get('accept-language'), web.config.site.language)
    const spoken: Spoken = { wording: wordingOf(language), prefix: named ? `/${language}` : '' }
    Object.assign(ctx.state, spoken)
    await next()
  }
}

/** What the answer to this request says things in. */
export function wordingFor(ctx: ParameterizedContext): Wording {
  return spokenIn(ctx).wording
}

/** An address of this site in the language of this request's address. */
export function localPath(ctx: ParameterizedContext, path: string): string {
  return spokenIn(ctx).prefix + path
}

/** This node's public address, without a slash at the end. */
export function publicUrl(ctx: ParameterizedContext, { config }: Pick<WebContext, 'config'>): string {
  return config.url ?? `${ctx.protocol}://${ctx.host}`
}

/**
 * Answers with a rendered page; one whose address holds a secret, or that holds a form's token, is stored by nobody.
 *
 * @param options.scripts what makes the page better in a browser that runs scripts
 * @param options.plays whether it has sound or film
 */
export async function showPage(
  ctx: ParameterizedContext,
  web: WebContext,
  template: string,
  model: object,
  {
    store = true,
    scripts = [],
    plays = false,
  }: { store?: boolean; scripts?: readonly ScriptName[]; plays?: boolean } = {},
): Promise<void> {
  const frame = await frameOf(web).read()
  const { wording, prefix } = spokenIn(ctx)
  const shell: Shell = {
    site: web.config.site,
    url: publicUrl(ctx, web),
    wording,
    prefix,
    path: ctx.path,
    person: shownPerson(ctx),
    scripts,
    mirror: web.mirror,
    ...frame,
  }
  if (scripts.length > 0 || plays) allow(ctx, { scripts: scripts.length > 0, media: plays })
  // What somebody who is signed in gets is for nobody else.
  const isShared = store && !personOf(ctx)
  ctx.set('Cache-Control', isShared ? 'no-cache' : 'no-store')
  if (isShared) mayKeep(ctx)
  ctx.type = 'text/html'
  ctx.body = renderPage(template, shell, model)
}

/** What the head of each page says to somebody who is signed in. */
function shownPerson(ctx: ParameterizedContext): Shell['person'] {
  const person = personOf(ctx)
  if (!person || person.missing === 'code') return undefined
  const { account, roles } = person
  return {
    name: account.name || account.handle,
    moderates: allows('moderate', roles),
    edits: allows('edit-any', roles),
  }
}

function spokenIn(ctx: ParameterizedContext): Spoken {
  const { wording, prefix } = ctx.state as Partial<Spoken>
  return { wording: wording ?? wordingOf('en'), prefix: prefix ?? '' }
}

const frames = new WeakMap<WebContext, Frame>()

function frameOf(web: WebContext): Frame {
  const known = frames.get(web)
  if (known) return known
  const frame = new Frame(web)
  frames.set(web, frame)
  return frame
}
