import type { Router } from '@koa/router'
import type { WebContext } from './context.ts'
import { showPage, wordingFor } from './page.ts'
import { may } from './may.ts'

const MOST_MONTHS = 12 * 100

/** The archive's index: years and months with how much of the newswire is from each. */
export function archivePages(router: Router, web: WebContext): void {
  router.get('/archive', may('read'), async (ctx) => {
    const { t, format } = wordingFor(ctx)
    const months = web.index.names('month', { limit: MOST_MONTHS })
    const years = new Map<string, { year: string; path: string; count: number; months: object[] }>()
    for (const { name, count } of [...months].sort((a, b) => (a.name < b.name ? 1 : -1))) {
      const [year = '', month = ''] = name.split('-')
      const entry = years.get(year) ?? { year, path: `/archive/${year}`, count: 0, months: [] }
      entry.count += count
      const title = format(new Date(`${name}-01T00:00:00Z`), { month: 'long' })
      entry.months.push({ title, path: `/archive/${year}/${month}`, count })
      years.set(year, entry)
    }
    const model = { years: [...years.values()], title: t('listing.archive'), current: 'archive' }
    await showPage(ctx, web, 'archive', model)
  })
}
