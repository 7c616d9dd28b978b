import type { EventFields, OccurrenceChange } from './fields.ts'
import { endOf, seriesOf } from './series.ts'

/** What a form for one occurrence holds; an empty text is as absent as none. */
export type OccurrenceInput = Omit<OccurrenceChange, 'occurrence'>

/**
 * The event with one occurrence edited; what is as in the series is no change, and where nothing is changed, none is
 * kept. A cancelled occurrence takes place again. {@link eventProblems} says what is wrong with the outcome.
 */
export function changeOccurrence<F extends EventFields>(
  fields: F,
  occurrence: string,
  input: OccurrenceInput,
): F {
  const usual: OccurrenceInput = {
    start: occurrence,
    end: endOf(fields, input.start || occurrence),
    venue: fields.venue,
    title: fields.title,
  }
  const names = ['start', 'end', 'venue', 'title', 'note'] as const
  const changed = names.filter((name) => input[name] && input[name] !== usual[name])
  const change = Object.fromEntries(changed.map((name) => [name, input[name]]))
  const others = fields.changes?.filter((one) => one.occurrence !== occurrence) ?? []
  return withLists(
    fields,
    fields.exceptions?.filter((one) => one !== occurrence) ?? [],
    changed.length > 0 ? [...others, { ...change, occurrence }] : others,
  )
}

/** The event without one occurrence of its series. */
export function cancelOccurrence<F extends EventFields>(fields: F, occurrence: string): F {
  return withLists(
    fields,
    [...(fields.exceptions?.filter((one) => one !== occurrence) ?? []), occurrence],
    fields.changes?.filter((one) => one.occurrence !== occurrence) ?? [],
  )
}

/**
 * The event with an edited series: exceptions and changes go with their occurrence when it begins at another time of
 * the same day. `dropped` names those of days on which the edited series has no occurrence, by their former names.
 */
export function changeSeries<F extends EventFields>(
  before: EventFields,
  after: F,
): { fields: F; dropped: string[] } {
  const series = after.rrule === undefined ? [] : seriesOf(after)
  if (typeof series === 'string') return { fields: after, dropped: [] }
  const ofDay = new Map(series.map((start) => [start.slice(0, 10), start]))
  const renamed = (name: string) => ofDay.get(name.slice(0, 10))
  const exceptions = after.exceptions ?? []
  const changes = after.changes ?? []
  const sameForm = Boolean(before.allDay) === Boolean(after.allDay)
  return {
    fields: withLists(
      after,
      exceptions.flatMap((name) => renamed(name) ?? []),
      changes.flatMap(({ start, end, ...rest }) => {
        const occurrence = renamed(rest.occurrence)
        if (!occurrence) return []
        return { ...(sameForm && start && { start }), ...(sameForm && end && { end }), ...rest, occurrence }
      }),
    ),
    dropped: [...exceptions, ...changes.map(({ occurrence }) => occurrence)].filter((name) => !renamed(name)),
  }
}

/** The lists sorted, and absent when empty, so that the same event is the same document. */
function withLists<F extends EventFields>(
  fields: F,
  exceptions: readonly string[],
  changes: readonly OccurrenceChange[],
): F {
  const { exceptions: _exceptions, changes: _changes, ...rest } = fields
  return {
    ...rest,
    ...(exceptions.length > 0 && { exceptions: exceptions.toSorted() }),
    ...(changes.length > 0 && {
      changes: changes.toSorted((a, b) => (a.occurrence < b.occurrence ? -1 : 1)),
    }),
  } as unknown as F
}
