import { CATEGORIES } from '../../newsroom/categories.ts'
import { DEEDS, FILTERED_KINDS, PARTS, problemsOf, WAYS } from '../../newsroom/filters/filter.ts'
import type { Filter, FilterInput, FilterProblems } from '../../newsroom/filters/filter.ts'
import { normaliseTerm } from '../../kinds/base/vocabulary.ts'
import { reasonNamed } from '../../pages/models.ts'
import type { Wording } from '../../i18n/wording.ts'
import type { Form } from '../form.ts'

/** What a form says of a filter, and what is wrong with it before any text was looked at. */
export function readFilterForm(form: Form): { input: FilterInput; problems: FilterProblems } {
  const typed = {
    name: (form.get('name') ?? '').trim(),
    way: WAYS.find((way) => way === form.get('way')) ?? 'words',
    pattern: (form.get('pattern') ?? '').replace(/\n+$/, ''),
    parts: PARTS.filter((part) => form.has(`part-${part}`)),
    kinds: FILTERED_KINDS.filter((kind) => form.has(`kind-${kind}`)),
    deed: DEEDS.find((deed) => deed === form.get('deed')) ?? 'queue',
  }
  const category = reasonNamed(form.get('category') ?? '')
  const tag = normaliseTerm(form.get('tag') ?? '')
  const input: FilterInput = {
    ...typed,
    ...(category === undefined ? {} : { category }),
    ...(tag === '' ? {} : { tag }),
  }
  return { input, problems: problemsOf(input) }
}

/** A filter's form: what there is to choose from, and what is chosen. */
export function filterFormModel(
  filter: FilterInput | undefined,
  problems: Readonly<Record<string, string>>,
  wording: Wording,
) {
  const { name = '', way = 'words', pattern = '', parts = [], kinds = [], deed = 'queue' } = filter ?? {}
  return {
    name,
    way,
    pattern,
    deed,
    category: filter?.category ?? '',
    tag: filter?.tag ?? '',
    ways: WAYS,
    deeds: DEEDS,
    categories: CATEGORIES,
    parts: PARTS.map((part) => ({ part, chosen: parts.includes(part) })),
    kinds: FILTERED_KINDS.map((kind) => ({
      kind,
      text: kind === 'comment' ? wording.t('comments.one') : wording.kind(kind),
      chosen: kinds.includes(kind),
    })),
    problems,
  }
}

/** A filter in the list. */
export function filterModel({ id, name, way, pattern, deed, category, tag, off }: Filter) {
  return { id, name, way, pattern, deed, category: reasonNamed(category), tag, off }
}
