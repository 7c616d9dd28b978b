import type { Router } from '@koa/router'
import { authorPath, pathOf, teaser, termPath } from '../pages/models.ts'
import { scope } from '../project/site-rows.ts'
import type { WebContext } from './context.ts'
import { showPage, wordingFor } from './page.ts'
import { may } from './may.ts'

const MOST_NAMES = 300
const SIZES = 5

/** All tags, places, authors and languages, larger where there is more. */
export function cloudPages(router: Router, web: WebContext): void {
  const clouds = [
    { path: '/tags', vocabulary: 'tag', pathOf: (name: string) => termPath('tag', name) },
    { path: '/places', vocabulary: 'place', pathOf: (name: string) => termPath('place', name) },
    { path: '/authors', vocabulary: 'author', pathOf: authorPath },
    {
      path: '/languages',
      vocabulary: 'language',
      pathOf: (name: string) => `/languages/${encodeURIComponent(name)}`,
    },
  ]
  for (const { path, vocabulary, pathOf: pathOfName } of clouds) {
    router.get(path, may('read'), async (ctx) => {
      const { t, languageName } = wordingFor(ctx)
      const top = web.index.top(vocabulary, MOST_NAMES)
      const named = vocabulary === 'language' ? languageName : (name: string) => name
      const names = sized(top).map((entry) => ({
        ...entry,
        name: named(entry.name),
        path: pathOfName(entry.name),
      }))
      names.sort((a, b) => (a.name < b.name ? -1 : 1))
      await showPage(ctx, web, 'cloud', { names, title: t(`cloud.${vocabulary}`), current: path.slice(1) })
    })
  }
  router.get('/groups', may('read'), async (ctx) => {
    const wording = wordingFor(ctx)
    const active = web.index.latest('group', MOST_NAMES)
    const items = await web.site.items(active.map(({ name }) => name))
    const { rows } = await web.site.list(scope('kind', 'group'), { limit: MOST_NAMES, part: 'teaser' })
    const known = items.filter(({ kind, standing }) => kind === 'group' && !standing.hidden)
    const seen = new Set(known.map(({ _id }) => _id))
    const entries = [
      ...known.map(({ _id, listing }) => ({ ...listing, item: _id })),
      ...rows.filter(({ item }) => !seen.has(item)),
    ].map((row) => teaser(row, wording))
    const title = wording.kind('group', 'many')
    await showPage(ctx, web, 'listing', {
      entries,
      title,
      path: pathOf('group', '').slice(0, -1),
      current: 'groups',
      feed: '/groups',
    })
  })
}

/** Names with the step of size that their count has among the others, 1 to 5, by its logarithm. */
export function sized(names: readonly { name: string; count: number }[]) {
  const most = Math.log(Math.max(1, ...names.map(({ count }) => count)) + 1)
  return names.map(({ name, count }) => ({
    name,
    count,
    size: Math.max(1, Math.ceil((Math.log(count + 1) / most) * SIZES)),
  }))
}
