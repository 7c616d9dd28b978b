import type { Wording } from '../i18n/wording.ts'
import type { FormField, Input, Kind } from '../kinds/base/kind.ts'
import { asText, pieces } from '../pages/changes.ts'
import type { Piece } from '../pages/changes.ts'
import { pathOf } from '../pages/models.ts'
import type { SiteItem } from '../project/site-item.ts'
import { inputName, picked, pickedPassage, shownInput } from './conflicts-model.ts'
import type { ClashingField, Side } from './conflicts-model.ts'
import { shownFields } from './item-form.ts'

/** Longer texts are shown without marks on the words that differ: finding them takes too long. */
const MOST_LETTERS = 5000

/** What the template of the Conflicts page shows of clashing fields. */
export function conflictModel(
  clashing: readonly ClashingField[],
  { item, kind, typed, wording }: { item: SiteItem; kind: Kind; typed: Input | undefined; wording: Wording },
) {
  const input: Input = Object.assign({}, ...clashing.map((field) => shownInput(field, typed))) as Input
  const fields = clashing.map((field, at) => ({
    label: wording.field(kind.name, field.name),
    name: field.name,
    rows: field.control?.rows ?? 3,
    ...(field.aligned ? textModel(field, at, typed) : valueModel(field, at, { kind, typed, wording })),
    sides: field.sides.map(({ hash }, side) => sideName(item, hash, side)),
  }))
  return { fields, input }
}

/** Versions are called by letters, as many as there are. */
function sideName(item: SiteItem, hash: string, side: number) {
  return {
    letter: String.fromCharCode(65 + (side % 26)),
    short: hash.slice(0, 8),
    path: `${pathOf(item.kind, item._id)}/versions/${hash}`,
  }
}

function textModel(field: ClashingField, at: number, typed: Input | undefined) {
  const passages = (field.aligned?.passages ?? []).map((passage, number) => {
    if (passage.same) return { same: passage.merged.trimEnd() }
    const choice = inputName.choice(at, number)
    const text = inputName.passage(at, number)
    const merged = passage.merged.trimEnd()
    const texts = passage.sides.map((side) => side.trimEnd())
    return {
      number,
      choice,
      text,
      chosen: pickedPassage(field, at, number, typed),
      typed: typed?.[text] ?? merged,
      lines: Math.min(14, Math.max(3, Math.ceil(merged.length / 70))),
      texts: texts.map((side, one) => marked(side, texts[one === 0 ? 1 : 0] ?? '', one === 0)),
      all: texts.every((side) => side !== ''),
    }
  })
  return { passages }
}

function valueModel(
  field: ClashingField,
  at: number,
  { kind, typed, wording }: { kind: Kind; typed: Input | undefined; wording: Wording },
) {
  const choice = inputName.choice(at)
  const texts = field.sides.map(({ value }: Side) => asText(value))
  const shown = shownFields(kind, wording).find(({ name }) => name === field.name)
  const control: FormField | undefined = field.control && shown
  return {
    choice,
    chosen: picked(field, at, typed),
    texts: texts.map((side, one) => marked(side, texts[one === 0 ? 1 : 0] ?? '', one === 0)),
    all: field.listed,
    // What a choice does not take must not keep the form from being sent.
    control: control && { ...control, required: undefined },
  }
}

/** A side's words, those marked that the other one has not. */
function marked(side: string, other: string, isFirst: boolean): Piece[] {
  if (side.length + other.length > MOST_LETTERS) return [{ kind: 'same', text: side }]
  const parts = isFirst ? pieces(side, other) : pieces(other, side)
  return parts.filter(({ kind }) => kind !== (isFirst ? 'added' : 'removed'))
}
