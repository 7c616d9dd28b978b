import type { Context } from 'koa'
import type { Wording } from '../i18n/wording.ts'
import type { Input, Kind } from '../kinds/base/kind.ts'
import { kindOf } from '../kinds/base/registry.ts'
import type { ScriptName } from '../pages/assets.ts'
import { occurrenceName } from '../pages/calendar.ts'
import { pathOf } from '../pages/models.ts'
import type { SiteItem } from '../project/site-item.ts'
import { challengeFor } from './abuse/on-forms.ts'
import type { Activity } from './abuse/limits.ts'
import type { WebContext } from './context.ts'
import { shownFields } from './item-form.ts'
import type { CheckedInput } from './item-form.ts'
import { clashesOf, resolvePath } from './listing-pages.ts'
import { showPage, wordingFor } from './page.ts'
import type { FormTokens } from './token.ts'
import { filesModel, filesToShow } from './form-files.ts'
import type { FilesOfForm } from './form-files.ts'
import { hasFiles } from './item-files.ts'

/** What the form's template gets, besides the input. */
export interface FormState {
  kind: Kind
  input: Input
  /** Where the form is sent to, and what its token is for. */
  action: string
  status?: number
  errors?: CheckedInput['errors']
  /** Said above the form. */
  notice?: string
  /** What was answered to the form's question, and what is wrong with it. */
  answer?: string | undefined
  challengeError?: string
  preview?: object
  parents?: string
  item?: SiteItem | undefined
  /** Those of the item, unless they are told. */
  files?: FilesOfForm
  /** Of the edit link that led here. */
  secret?: string | undefined
  /** The item that is being translated. */
  original?: SiteItem
}

/** Answers with a kind's form, filled in. */
export async function showForm(
  ctx: Context,
  web: WebContext,
  tokens: FormTokens,
  state: FormState,
): Promise<void> {
  const {
    item,
    original,
    secret,
    status = 200,
    action,
    errors = {},
    kind,
    answer,
    challengeError,
    files = filesToShow(kind, item),
    ...rest
  } = state
  const wording = wordingFor(ctx)
  const clashes = item && item.clashes.length > 0 ? (await clashesOf(item, web)).clashes : []
  const terms = web.terms()
  const fields = shownFields(kind, wording)
  const title = item
    ? wording.t('form.edit', { title: item.listing.title })
    : wording.t('form.publish', { kind: wording.kind(kind.name) })
  const token = tokens.issue(action)
  const activity: Activity = item ? 'edit' : 'publish'
  const { challenge, scripts } = challengeFor(
    ctx,
    web,
    { activity, item: item?._id },
    { token, answer, error: challengeError },
  )
  const model = {
    ...rest,
    action,
    errors,
    errorCount:
      Object.keys(errors).length + Object.keys(files.errors).length + (challengeError === undefined ? 0 : 1),
    challenge,
    clashes,
    resolvePath: item && resolvePath(item, secret),
    kind: kind.name,
    fields,
    files: hasFiles(kind) ? await filesModel(files, web, { action, wording }) : undefined,
    moreFields: fields.some(({ more }) => more),
    moreOpen: fields.some(({ more, name }) => more && ((state.input[name] ?? '') !== '' || name in errors)),
    zones: fields.some(({ control }) => control === 'zone') ? Intl.supportedValuesOf('timeZone') : [],
    suggested: { tags: terms.suggested('tag'), places: terms.suggested('place') },
    editing: item !== undefined,
    path: item && pathOf(item.kind, item._id),
    parts: item ? partsOf(item, kind, action, wording) : [],
    original: original && { title: original.listing.title, path: pathOf(original.kind, original._id) },
    token,
    title,
    robots: item ? 'noindex' : undefined,
    current: item ? undefined : 'publish',
  }
  ctx.status = status
  // The one that sends files goes first: it holds back a form that the other would let go.
  const all: ScriptName[] = hasFiles(kind) && web.media.uploads ? ['upload', ...scripts] : [...scripts]
  await showPage(ctx, web, 'form', model, { store: false, scripts: all })
}

/** The forms for parts of an item, beside that for the whole. */
function partsOf(item: SiteItem, kind: Kind, action: string, wording: Wording) {
  const whole = kindOf(item.kind)
  if (whole !== kind) return []
  const names = kind.parts?.(item.fields) ?? []
  return names.map((name) => ({
    name: occurrenceName(name, wording),
    path: `${action}/${encodeURIComponent(name)}`,
  }))
}

/** What a preview of a new item is made of, before it has an id. */
export function previewItem(kind: Kind, at: string): SiteItem {
  const listing = {
    title: '',
    summary: '',
    tags: [],
    places: [],
    language: 'en',
    status: 'published',
  } as const
  return {
    _id: '',
    type: 'item',
    kind: kind.name,
    heads: [],
    graph: {},
    author: '',
    at,
    updatedAt: at,
    fields: {},
    clashes: [],
    decisions: {},
    standing: { hidden: false, status: 'published', sticky: false, locked: false },
    sections: [],
    listing: { ...listing, tags: [], places: [], kind: kind.name, at, updatedAt: at, clashes: 0 },
  }
}
