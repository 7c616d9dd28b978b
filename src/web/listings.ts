import { kindAt } from '../kinds/base/registry.ts'
import { normaliseTerm } from '../kinds/base/vocabulary.ts'
import type { Vocabulary } from '../kinds/base/vocabulary.ts'
import { isItemId } from '../ledger/item-id.ts'
import { authorPath, pathOf, termPath } from '../pages/models.ts'
import type { Wording } from '../i18n/wording.ts'
import { CHANGES, scope } from '../project/site-rows.ts'
import type { Scope } from '../project/site-rows.ts'
import type { SiteItem } from '../project/site-item.ts'
import type { WebContext } from './context.ts'

/** A listing of items: what it lists, where it stands, and what it is called. Its page, feeds and JSON follow. */
export interface Listing {
  /** Its address without a language's prefix. */
  path: string
  scope: Scope
  title: string
  kicker?: string
  /** The entry of the menu that it is. */
  current?: string
  /** Of its first page open ones are told how many new entries there are. */
  live?: true
  /** Nothing but names make it, so an empty one is no page: 404. */
  named?: true
  /** What crawlers are told. */
  robots?: string
  /** Events are in it, or may be: the address of its calendar. */
  calendar?: string
}

/** One form of addresses of listings. */
export interface ListingRoute {
  pattern: string
  /** The form of the addresses of its calendars. */
  calendar?: string
  /** The listing at such an address; undefined is a 404, a text another address that means the same. */
  find(
    params: Readonly<Record<string, string | undefined>>,
    web: WebContext,
    wording: Wording,
  ): Listing | string | undefined | Promise<Listing | string | undefined>
}

const plain = (name: string): ListingRoute => ({
  pattern: `/${name}`,
  find: (_, __, { t }) => ({
    path: `/${name}`,
    scope: scope(sectionOf(name)),
    title: t(`listing.${name}`),
    current: name,
    ...(name === 'newswire' || name === 'media' ? { live: true } : {}),
    ...(name === 'hidden' ? { robots: 'noindex, nofollow' } : {}),
  }),
})

/** Every listing there is. */
export const LISTINGS: readonly ListingRoute[] = [
  plain('newswire'),
  plain('features'),
  plain('promoted'),
  plain('media'),
  plain('hidden'),
  {
    pattern: '/latest',
    find: (_, __, { t }) => ({
      path: '/latest',
      scope: CHANGES,
      title: t('listing.latest'),
      current: 'latest',
    }),
  },
  {
    pattern: '/tags/:name',
    calendar: '/tags/:name/calendar',
    find: ({ name }, web, wording) => ofTerm('tag', name, web, wording),
  },
  {
    pattern: '/places/:name',
    calendar: '/places/:name/calendar',
    find: ({ name }, web, wording) => ofTerm('place', name, web, wording),
  },
  {
    pattern: '/authors/:name',
    find: ({ name = '' }, _, { t }) => ({
      path: authorPath(name),
      scope: scope('author', name),
      title: name,
      kicker: t('listing.author'),
      named: true,
      live: true,
    }),
  },
  {
    pattern: '/languages/:language',
    find: ({ language = '' }, _, { t, languageName }) => ({
      path: `/languages/${encodeURIComponent(language)}`,
      scope: scope('language', language),
      title: languageName(language),
      kicker: t('listing.language'),
      named: true,
      live: true,
    }),
  },
  {
    pattern: '/groups/:group/newswire',
    calendar: '/groups/:group/calendar',
    async find({ group = '' }, { site }, { t }) {
      const item = isItemId(group) ? await site.item(group) : undefined
      if (item?.kind !== 'group' || item.standing.hidden) return undefined
      return {
        path: `${pathOf('group', group)}/newswire`,
        scope: scope('group', groupScope(item)),
        title: item.listing.title,
        kicker: t('kind.group.one'),
        live: true,
        calendar: `${pathOf('group', group)}/calendar`,
      }
    },
  },
  {
    pattern: '/archive/:year',
    find: ({ year = '' }, _, { t }) =>
      /^\d{4}$/.test(year)
        ? {
            path: `/archive/${year}`,
            scope: { ...scope('newswire'), from: year, to: `${year}~` },
            title: year,
            kicker: t('listing.archive'),
          }
        : undefined,
  },
  {
    pattern: '/archive/:year/:month',
    find({ year = '', month = '' }, _, { t, format }) {
      if (!/^\d{4}$/.test(year) || !/^(0[1-9]|1[0-2])$/.test(month)) return undefined
      const date = new Date(`${year}-${month}-01T00:00:00Z`)
      return {
        path: `/archive/${year}/${month}`,
        scope: { ...scope('newswire'), from: `${year}-${month}`, to: `${year}-${month}~` },
        title: format(date, { month: 'long', year: 'numeric' }),
        kicker: t('listing.archive'),
      }
    },
  },
  // Last, because a kind's path may be any word: an address that names none goes on to other routes.
  {
    pattern: '/:kind',
    find({ kind: path = '' }, _, wording) {
      const kind = kindAt(path)
      if (!kind) return undefined
      return {
        path: `/${path}`,
        scope: scope('kind', kind.name),
        title: wording.kind(kind.name, 'many'),
        // Of others it would not be stories that are new.
        ...(kind.sections({}).includes('newswire') ? { live: true } : {}),
        current: path,
      }
    },
  },
]

/** Whose items a group lists: an open one everything that names it, another one what was signed with its own key. */
export function groupScope({ _id, author, fields }: SiteItem): string {
  return fields.open === true ? _id : `${_id} ${author}`
}

/** Whether a group lists an item that names it. */
export function takes(group: SiteItem, item: SiteItem): boolean {
  if (group.kind !== 'group' || group.standing.hidden || item.listing.group !== group._id) return false
  return groupScope(group) === group._id || group.author === (item.groupKey ?? item.author)
}

function sectionOf(name: string): string {
  return name === 'features' ? 'featured' : name
}

function ofTerm(
  vocabulary: Vocabulary,
  given: string | undefined,
  { terms }: WebContext,
  { t }: Wording,
): Listing | string {
  const normal = normaliseTerm(given ?? '')
  const name = terms().nameOf(vocabulary, normal)
  const path = termPath(vocabulary, name)
  if (name !== given) return path
  return {
    path,
    scope: scope(vocabulary, name),
    title: name,
    kicker: t(`listing.${vocabulary}`),
    named: true,
    live: true,
    calendar: `${path}/calendar`,
  }
}
