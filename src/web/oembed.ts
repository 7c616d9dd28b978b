import type { Router } from '@koa/router'
import { HyperactiveError } from '../errors.ts'
import { jsonErrors } from '../api/answers.ts'
import { languageInPath } from '../i18n/choose.ts'
import { kindAt } from '../kinds/base/registry.ts'
import { isItemId } from '../ledger/item-id.ts'
import { isSha256 } from '../ledger/manifest.ts'
import { shownFiles } from '../pages/files.ts'
import { pathOf, text } from '../pages/models.ts'
import { directionOf } from '../i18n/direction.ts'
import { embedded, oembedOf, oembedXml } from '../pages/oembed.ts'
import type { Bounds } from '../pages/oembed.ts'
import { xmlDocument } from '../pages/xml.ts'
import { filesOf } from '../project/media.ts'
import type { SiteItem } from '../project/site-item.ts'
import type { WebContext } from './context.ts'
import { itemOf } from './item-of.ts'
import { may } from './may.ts'
import { localPath, publicUrl, showPage, wordingFor } from './page.ts'
import type { PageRequest } from './page.ts'
import { allowFraming } from './security.ts'

const FILE = /^\/files\/([0-9a-f]{64})\.([a-z0-9]{1,8})$/
const LARGEST = 10_000

/** How other sites show this one's pictures, sound and film: what there is (oEmbed), and the page for their frames. */
export function oembedRoutes(router: Router, web: WebContext): void {
  router.get('/oembed', may('read'), jsonErrors, async (ctx) => {
    const { url, format = 'json' } = ctx.query
    if (format !== 'json' && format !== 'xml')
      throw new HyperactiveError('oembed_format', 'There is JSON and XML: format=json or format=xml.', {
        status: 501,
        expose: true,
      })
    const site = { name: web.config.site.name, url: publicUrl(ctx, web) }
    const found = await target(url, site.url, web)
    const answer = oembedOf(found.item, { sha256: found.sha256, bounds: boundsIn(ctx) }, site)
    // Pages of other sites may ask.
    ctx.set('Access-Control-Allow-Origin', '*')
    ctx.set('Cache-Control', 'no-cache')
    ctx.type = format === 'json' ? 'application/json' : 'text/xml'
    ctx.body = format === 'json' ? JSON.stringify(answer) : xmlDocument(oembedXml(answer))
  })
  for (const pattern of ['/:kind/:item/embed', '/:kind/:item/embed/:sha256'])
    router.get(pattern, may('read'), async (ctx) => {
      const { sha256 } = ctx.params
      const item = await itemOf(ctx, web)
      const file = sha256 === undefined || isSha256(sha256) ? embedded(item, sha256) : undefined
      const wording = wordingFor(ctx)
      const captions = file ? filesOf(item.fields, item.media) : []
      const shown = shownFiles(captions, item.listing.language, wording).find(
        (one) => one.sha256 === file?.sha256 && one.form !== 'file',
      )
      if (!shown) throw unknown()
      const { language, title } = item.listing
      await showPage(ctx, web, 'embed', {
        file: shown,
        item: { title, language, direction: directionOf(language), author: text(item.fields.author) },
        itemPath: publicUrl(ctx, web) + localPath(ctx, pathOf(item.kind, item._id)),
      })
      allowFraming(ctx)
    })
}

/** What an address of this site is of. */
async function target(
  given: unknown,
  own: string,
  { site }: Pick<WebContext, 'site'>,
): Promise<{ item: SiteItem; sha256?: string }> {
  if (typeof given !== 'string' || !URL.canParse(given))
    throw new HyperactiveError('oembed_url', 'Name an address of this site: url=https://…', { status: 400 })
  const url = new URL(given)
  if (url.host !== new URL(own).host || !/^https?:$/.test(url.protocol)) throw unknown()
  const path = languageInPath(url.pathname)?.rest ?? url.pathname
  const [, sha256, extension] = FILE.exec(path) ?? []
  if (sha256 !== undefined) {
    const row = await site.file(sha256)
    const item = row?.isShown && row.extension === extension ? await site.item(row.item) : undefined
    if (item && !item.standing.hidden && embedded(item, sha256)) return { item, sha256 }
    throw unknown()
  }
  const [kind = '', id = '', ...rest] = path.slice(1).split('/')
  const item = kindAt(kind) && isItemId(id) && rest.length === 0 ? await site.item(id) : undefined
  if (!item || item.standing.hidden || !path.startsWith(pathOf(item.kind, item._id))) throw unknown()
  return { item }
}

function bound(value: unknown): number {
  const number = typeof value === 'string' && /^\d{1,6}$/.test(value) ? Number(value) : LARGEST
  return Math.min(Math.max(number, 1), LARGEST)
}

function boundsIn({ query }: PageRequest): Bounds {
  return { maxwidth: bound(query.maxwidth), maxheight: bound(query.maxheight) }
}

function unknown(): HyperactiveError {
  return new HyperactiveError('unknown_file', 'There is nothing of this site at that address.', {
    status: 404,
  })
}
