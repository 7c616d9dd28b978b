import { filesOf } from '../project/media.ts'
import type { ItemFile } from '../project/media.ts'
import { isPicture, placedFiles, shownFiles, shownPicture } from '../pages/files.ts'
import type { ShownFiles, ShownPicture } from '../pages/files.ts'
import type { Fields } from '../ledger/document.ts'
import type { ListingRow } from '../project/site-rows.ts'
import type { SiteItem } from '../project/site-item.ts'
import type { Wording } from '../i18n/wording.ts'
import type { WebContext } from './context.ts'

/** How wide the pictures of the front page's stories are, for browsers to choose by. */
const LEAD_SIZES = '(min-width: 80rem) 56rem, (min-width: 60rem) 60vw, 100vw'
const SECOND_SIZES = '(min-width: 80rem) 27rem, (min-width: 60rem) 30vw, (min-width: 42rem) 48vw, 100vw'

/**
 * An item's files as its page has them; none of what is hidden, which readers do not get.
 *
 * @param options.seesHidden whoever asks gets the files of what is hidden as well
 */
export function itemFiles(
  item: SiteItem,
  wording: Wording,
  { seesHidden = false }: { seesHidden?: boolean } = {},
): ShownFiles {
  const files = item.standing.hidden && !seesHidden ? [] : filesOf(item.fields, item.media)
  return placed(item, files, wording)
}

/** The files of a version as far as readers get them: those that the item still has. */
export async function versionFiles(
  item: SiteItem,
  fields: Fields,
  { wording, web }: { wording: Wording; web: Pick<WebContext, 'site'> },
): Promise<ShownFiles> {
  const files = filesOf(fields, item.media)
  const rows = await Promise.all(files.map(({ sha256 }) => web.site.file(sha256)))
  return placed(
    item,
    files.filter((_, index) => rows[index]?.isShown === true),
    wording,
  )
}

function placed({ kind, listing }: SiteItem, files: readonly ItemFile[], wording: Wording): ShownFiles {
  return placedFiles(kind, shownFiles(files, listing.language, wording))
}

/** A picture with what a browser needs to choose its size by. */
export type LargeCover = ShownPicture & { sizes: string }

/**
 * The pictures of a front page's first stories in all their sizes, by item: a listing's row has but the small one.
 *
 * @param lead the story that leads, then those below it
 */
export async function largeCovers(
  { site }: Pick<WebContext, 'site'>,
  lead: ListingRow | undefined,
  seconds: readonly ListingRow[],
): Promise<Record<string, LargeCover>> {
  const rows = [...(lead ? [lead] : []), ...seconds].filter(({ cover }) => cover)
  const documents = await site.documents(
    rows.map(({ item }) => item),
    'files',
  )
  const found = rows.flatMap(({ item, cover }) => {
    const document = documents.get(item)
    if (document?.type !== 'item' || document.standing.hidden) return []
    const picture = filesOf(document.fields, document.media).find(
      (file) => isPicture(file) && file.sha256 === cover?.sha256,
    )
    // The still of a film stands in the row itself.
    if (!picture) return []
    return [[item, { ...shownPicture(picture), sizes: item === lead?.item ? LEAD_SIZES : SECOND_SIZES }]]
  })
  return Object.fromEntries(found) as Record<string, LargeCover>
}
