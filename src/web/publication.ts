import { HyperactiveError } from '../errors.ts'
import { allKinds, kindOf } from '../kinds/base/registry.ts'
import type { Input, Kind } from '../kinds/base/kind.ts'
import type { Fields } from '../ledger/document.ts'
import { isItemId } from '../ledger/item-id.ts'
import type { SigningKey } from '../ledger/keys.ts'
import type { SiteItem } from '../project/site-item.ts'
import type { WebContext } from './context.ts'
import { showControl } from './controls.ts'
import { originalOf } from './extras.ts'
import { authorOf } from './item-of.ts'
import { inputOf } from './item-form.ts'
import { wordingFor } from './page.ts'
import type { PageRequest } from './page.ts'

/** The order in which the page that leads to the forms offers the kinds. */
const OFFERED = ['article', 'event', 'link', 'photo', 'audio', 'video', 'group']

/** The kinds that anybody publishes, in the order in which they are offered. */
export function offeredKinds(): Kind[] {
  return allKinds()
    .filter(({ by }) => by === 'anyone')
    .sort((a, b) => rank(a) - rank(b))
}

/** What groups publish. */
export const GROUPS_KINDS = allKinds().filter(({ by, name }) => by === 'anyone' && name !== 'group')

function rank({ name }: Kind): number {
  return OFFERED.includes(name) ? OFFERED.indexOf(name) : OFFERED.length
}

/** What a form publishes: its kind, and the key that signs it where the form does not make one. */
export interface Publication {
  kind: Kind
  author?: SigningKey
  /** Inputs that the address of the form gives. */
  given: Input
  /** Fields that go with them and that nobody types. */
  fields?: Fields
}

/** What the address of a form to publish says: the kind, and the group whose link it holds. */
export function publicationOf(ctx: PageRequest): Publication {
  const kind = kindOf(ctx.params.kind ?? '')
  if (kind?.by !== 'anyone') throw unknownForm(ctx)
  const { item, secret } = ctx.params
  const author = secret === undefined ? undefined : authorOf(ctx)
  return { kind, given: item === undefined ? {} : { group: item }, ...(author ? { author } : {}) }
}

/** What editors publish in the name of their node, such as pages and alerts. */
export function editorsPublication(ctx: PageRequest, { nodeKey }: WebContext): Publication {
  const kind = kindOf(ctx.params.kind ?? '')
  if (kind?.by !== 'editors' || kind.name === 'term') throw unknownForm(ctx)
  return { kind, given: {}, author: nodeKey }
}

/** What members publish in the name of their group: the node signs, and names the key that it stands in for. */
export function membersPublication(kind: Kind, group: SiteItem, { nodeKey }: WebContext): Publication {
  return { kind, given: { group: group._id }, fields: { groupKey: group.author }, author: nodeKey }
}

/** The inputs that a form carries without showing them, as an item has them. */
export function givenIn(fields: Fields, kind: Kind): Input {
  const given = kind.form.filter(({ control }) => control === 'given')
  return Object.assign({}, ...given.map((field) => showControl(field, fields[field.name]))) as Input
}

export function emptyInput({ kind, given }: Publication, web: WebContext): Input {
  const { language, timeZone } = web.config.site
  const shown = inputOf({}, kind)
  return { ...shown, language, ...('zone' in shown ? { zone: timeZone } : {}), ...given }
}

/** The original that a form to publish a translation names, at its root. */
export async function originalFor(ctx: PageRequest, { site }: WebContext): Promise<SiteItem | undefined> {
  const named = String(ctx.query.translation ?? '')
  const item = isItemId(named) ? await site.item(named) : undefined
  return item && originalOf(item) !== item._id ? site.item(originalOf(item)) : item
}

export function inputForTranslation(original: SiteItem, kind: Kind): Input {
  const { tags, places, author } = original.fields
  const { title: _, summary: __, body: ___, dayOnly: ____, ...rest } = original.fields
  const fields = original.kind === kind.name ? rest : { tags, places, author }
  return { ...inputOf({ ...fields, translationOf: original._id }, kind), language: '' }
}

/** The kind as the form at this address has it: whole, or as that of one part, such as an occurrence of a series. */
export function partOf(ctx: PageRequest, kind: Kind | undefined, item?: SiteItem): Kind {
  const { part } = ctx.params
  const found = part === undefined ? kind : kind?.part?.(item?.fields ?? {}, part)
  if (!found) throw unknownForm(ctx)
  return found
}

function unknownForm(ctx: PageRequest): HyperactiveError {
  return new HyperactiveError('unknown_kind', wordingFor(ctx).t('error.unknownKind'), { status: 404 })
}
