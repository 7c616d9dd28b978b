import type { Router } from '@koa/router'
import { isDay } from '../calendar/wall-time.ts'
import { HyperactiveError } from '../errors.ts'
import { directionOf } from '../i18n/direction.ts'
import type { Wording } from '../i18n/wording.ts'
import { allKinds } from '../kinds/base/registry.ts'
import { normaliseTerm } from '../kinds/base/vocabulary.ts'
import { isItemId } from '../ledger/item-id.ts'
import { FEED_FORMATS } from '../pages/feeds.ts'
import type { FeedFormat } from '../pages/feeds.ts'
import { authorPath, links, pathOf } from '../pages/models.ts'
import { xmlDocument } from '../pages/xml.ts'
import { isHybridTime } from '../ledger/clock.ts'
import { noteUntold } from '../reads.ts'
import type { SearchPage, SearchQuery, SearchResult } from '../search/search-index.ts'
import { answerText } from './conditional.ts'
import type { WebContext } from './context.ts'
import { answerFeed, entriesOf } from './feeds.ts'
import { localPath, publicUrl, showPage, wordingFor } from './page.ts'
import type { PageRequest } from './page.ts'
import { may } from './may.ts'

const RESULTS = 20
const FORMATS = Object.keys(FEED_FORMATS) as FeedFormat[]
/** Kinds that are parts of pages, not pages. */
const PIECES = new Set(['snippet', 'term'])

/** What a search form holds, as it stands in the address. */
export interface Asked {
  q: string
  kind: string
  tag: string
  place: string
  group: string
  language: string
  from: string
  until: string
  order: string
}

const NAMES = ['q', 'kind', 'tag', 'place', 'group', 'language', 'from', 'until', 'order'] as const

/** The search: a page, a feed of what is newest of it, and how browsers find it (OpenSearch). */
export function searchPages(router: Router, web: WebContext): void {
  router.get('/search', may('read'), async (ctx) => {
    // Of what is asked for, the key of a kept page says nothing.
    noteUntold()
    const wording = wordingFor(ctx)
    const asked = askedOf(ctx)
    const { page, problem } = searched(ctx, web, asked)
    const results = page ? await shown(page.results, web, wording) : []
    const query = queryOf(asked)
    ctx.status = problem === undefined ? 200 : 400
    await showPage(ctx, web, 'search', {
      asked,
      problem,
      results,
      found: page?.found,
      capped: page?.capped,
      notices: page?.notices ?? [],
      older: page?.next && `/search?${query}&after=${page.next}`,
      kinds: [
        ...allKinds()
          .filter(({ name }) => !PIECES.has(name))
          .map(({ name }) => name),
        'comment',
      ],
      filtered: NAMES.some((name) => name !== 'q' && name !== 'order' && asked[name] !== ''),
      title: asked.q === '' ? wording.t('search.title') : wording.t('search.for', { text: asked.q }),
      robots: 'noindex',
      current: 'search',
      feed: page ? '/search' : undefined,
      feedQuery: `?${query}`,
    })
  })
  for (const format of FORMATS) {
    router.get(`/search/feed.${format}`, may('read'), async (ctx) => {
      noteUntold()
      const asked = askedOf(ctx)
      const { page, problem } = searched(ctx, web, { ...asked, order: 'newest' })
      if (problem !== undefined) throw new HyperactiveError('bad_query', problem, { status: 400 })
      const rows = (page?.results ?? []).map(({ id, item, kind }) =>
        kind === 'comment' ? { item: id, of: item } : { item: id },
      )
      const entries = await entriesOf(ctx, web, rows)
      const title = wordingFor(ctx).t('search.for', { text: asked.q })
      answerFeed(ctx, web, format, { path: '/search', title, query: `?${queryOf(asked)}`, entries })
    })
  }
  router.get('/opensearch.xml', may('read'), (ctx) => {
    const { name, description } = web.config.site
    const url = publicUrl(ctx, web) + localPath(ctx, '/search')
    const body = xmlDocument([
      'OpenSearchDescription',
      [
        ['ShortName', name.slice(0, 16)],
        ['LongName', name.slice(0, 48)],
        ['Description', (description || name).slice(0, 1_024)],
        ['InputEncoding', 'UTF-8'],
        ['Url', '', { type: 'text/html', template: `${url}?q={searchTerms}` }],
        ['Url', '', { type: 'application/atom+xml', template: `${url}/feed.atom?q={searchTerms}` }],
      ],
      { xmlns: 'http://a9.com/-/spec/opensearch/1.1/' },
    ])
    answerText(ctx, { type: 'application/opensearchdescription+xml; charset=utf-8', body })
  })
}

export type ShownResult = Awaited<ReturnType<typeof shown>>[number]

/** What an address asks to search for. Of what is given twice the first counts. */
export function askedOf({ query }: Pick<PageRequest, 'query'>): Asked {
  const values = NAMES.map((name) => [name, String([query[name] ?? ''].flat()[0]).trim()])
  return Object.fromEntries(values) as Asked
}

/** Looks, or says what is wrong with what was asked. Without anything asked there is no page. */
export function searched(
  ctx: PageRequest,
  { index, terms }: Pick<WebContext, 'index' | 'terms'>,
  asked: Asked,
  limit = RESULTS,
): { page?: SearchPage; problem?: string } {
  const { t } = wordingFor(ctx)
  const { q, kind, tag, place, group, language, from, until, order } = asked
  if (NAMES.every((name) => asked[name] === '' || name === 'order')) return {}
  if ([from, until].some((day) => day !== '' && !isDay(day))) return { problem: t('search.badDay') }
  if (group !== '' && !isItemId(group)) return { problem: t('search.badGroup') }
  const after = String(ctx.query.after ?? '')
  const query: SearchQuery = {
    text: q,
    order: order === 'newest' ? 'newest' : 'best',
    limit,
    ...(kind === '' ? {} : { kind }),
    ...(tag === '' ? {} : { tag: terms().nameOf('tag', normaliseTerm(tag)) }),
    ...(place === '' ? {} : { place: terms().nameOf('place', normaliseTerm(place)) }),
    ...(group === '' ? {} : { group }),
    ...(language === '' ? {} : { language }),
    ...(from === '' ? {} : { from }),
    ...(until === '' ? {} : { until }),
    ...(/^\d{1,4}$/.test(after) ? { after } : {}),
  }
  return { page: index.search(query) }
}

/** Results for the page: what is hidden since, or stands on something hidden, is left out. */
export async function shown(
  results: readonly SearchResult[],
  { site }: Pick<WebContext, 'site'>,
  wording: Wording,
) {
  const documents = await site.documents([...new Set(results.flatMap(({ id, item }) => [id, item]))])
  return results
    .filter(({ id, item }) => [id, item].every((name) => documents.get(name)?.standing.hidden === false))
    .map((result) => {
      const { id, item, kind, at, title, language, author, tags, places, titleParts, snippet } = result
      const on = documents.get(item)
      const dayOnly = kind !== 'comment' && on?.type === 'item' && on.listing.dayOnly === true
      const onKind = on?.type === 'item' ? on.kind : 'article'
      return {
        id,
        item,
        kind,
        at,
        title,
        path: kind === 'comment' ? `/comments/${item}/${id.split(':').at(-1) ?? ''}` : pathOf(kind, item),
        on:
          kind === 'comment' && on?.type === 'item'
            ? { title: on.listing.title, path: pathOf(onKind, item) }
            : undefined,
        titleParts,
        snippet,
        author,
        authorPath: author === undefined ? '' : authorPath(author),
        published: isHybridTime(at) ? wording.moment(at, dayOnly) : undefined,
        language,
        direction: language === '' ? 'auto' : directionOf(language),
        tags: links('tag', tags),
        places: links('place', places),
      }
    })
}

function queryOf(asked: Asked): string {
  const given = NAMES.filter((name) => asked[name] !== '').map((name): [string, string] => [
    name,
    asked[name],
  ])
  return new URLSearchParams(given).toString()
}
