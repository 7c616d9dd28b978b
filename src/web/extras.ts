import type { Wording } from '../i18n/wording.ts'
import { directionOf } from '../i18n/direction.ts'
import { links, pathOf, teaser } from '../pages/models.ts'
import type { Teaser } from '../pages/models.ts'
import { scope } from '../project/site-rows.ts'
import type { ListingRow } from '../project/site-rows.ts'
import type { SiteItem } from '../project/site-item.ts'
import { takes } from './listings.ts'
import type { WebContext } from './context.ts'

const RELATED = 5
/** How many of an item's tags are asked for what else carries them, and for how many on each side. */
const ASKED_TAGS = 8
const ASKED_ROWS = 4
const TRANSLATIONS = 50

/** What stands on an item's page beside the item: its translations, its group, and what is related to it. */
export async function extraOf(item: SiteItem, web: WebContext, wording: Wording) {
  const [related, translations, group] = await Promise.all([
    relatedTo(item, web, wording),
    translationsOf(item, web, wording),
    groupOf(item, web),
  ])
  return { related, translations, group }
}

/**
 * Items that share tags with an item, of those that were published next before and after it: those that share most first. Its
 * cost does not grow with the site. Were they the newest ones, each new one would change the pages of all items with its
 * tags; so would each comment, were the numbers of their comments shown.
 */
async function relatedTo(
  { _id, at, listing }: SiteItem,
  { site }: WebContext,
  wording: Wording,
): Promise<Teaser[]> {
  const scopes = listing.tags.slice(0, ASKED_TAGS).map((tag) => scope('tag', tag))
  const found = await site.around(scopes, { at, item: _id }, { limit: ASKED_ROWS, part: 'teaser' })
  const shared = new Map<string, { row: ListingRow; tags: number }>()
  for (const row of found.flat()) {
    const known = shared.get(row.item) ?? { row, tags: 0 }
    shared.set(row.item, { row, tags: known.tags + 1 })
  }
  return [...shared.values()]
    .sort((a, b) => b.tags - a.tags || (a.row.at < b.row.at ? 1 : -1))
    .slice(0, RELATED)
    .map(({ row }) => teaser(row, wording))
}

/** The same text in other languages: the original and its translations, without the item itself. */
export async function translationsOf(item: SiteItem, { site }: WebContext, { languageName }: Wording) {
  const original = originalOf(item)
  const { rows } = await site.list(scope('translation', original), { limit: TRANSLATIONS, part: 'name' })
  const first = original === item._id ? undefined : await site.item(original)
  const others = rows.filter((row) => row.item !== item._id)
  const all = [...(first && !first.standing.hidden ? [{ ...first.listing, item: first._id }] : []), ...others]
  return {
    of: all.map(({ kind, item: id, language, title }) => ({
      path: pathOf(kind, id),
      language,
      languageName: languageName(language),
      direction: directionOf(language),
      title,
    })),
    submit: `/publish/${item.kind}?translation=${original}`,
  }
}

/** The item that this one, and all its translations, lead back to. */
export function originalOf({ _id, fields }: SiteItem): string {
  return typeof fields.translationOf === 'string' ? fields.translationOf : _id
}

/** The group that an item is published in, if that group takes it. */
async function groupOf(item: SiteItem, { site }: WebContext) {
  const { group: id } = item.listing
  if (id === undefined) return undefined
  const group = await site.item(id, 'group')
  if (!group || !takes(group, item)) return undefined
  return { name: group.listing.title, path: pathOf('group', id), tags: links('tag', group.listing.tags) }
}
