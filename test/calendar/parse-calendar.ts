import ICAL from 'ical.js'

/** One occurrence as Mozilla's ical.js computes it from a file. */
export interface Parsed {
  start: string
  end: string
  summary: string
}

export interface ParsedCalendar {
  root: ICAL.Component
  /** The VEVENTs that stand for an event or a series, not for one changed occurrence. */
  events: ICAL.Event[]
}

/** Parses a file strictly: what is no iCalendar throws. */
export function parseCalendar(file: string): ParsedCalendar {
  const root = new ICAL.Component(ICAL.parse(file) as unknown[])
  const all = root.getAllSubcomponents('vevent').map((component) => new ICAL.Event(component))
  const events = all.filter((event) => !event.isRecurrenceException())
  for (const change of all.filter((event) => event.isRecurrenceException())) {
    events.find(({ uid }) => uid === change.uid)?.relateException(change)
  }
  return { root, events }
}

/** The occurrences of an event by the parser's own arithmetic and the file's own VTIMEZONE, by start. */
export function expand(event: ICAL.Event, most = 300): Parsed[] {
  if (!event.isRecurring()) return [parsed(event.startDate, event.endDate, event)]
  const iterator = event.iterator()
  const found: Parsed[] = []
  for (let next = iterator.next(); next && found.length < most; next = iterator.next()) {
    const { startDate, endDate, item } = event.getOccurrenceDetails(next)
    found.push(parsed(startDate, endDate, item))
  }
  return found.toSorted((a, b) => (a.start < b.start ? -1 : 1))
}

function parsed(start: ICAL.Time, end: ICAL.Time, { summary }: ICAL.Event): Parsed {
  return { start: textOf(start), end: textOf(end), summary }
}

/** A day for whole days, otherwise UTC. */
function textOf(time: ICAL.Time): string {
  return time.isDate ? time.toString() : new Date(time.toUnixTime() * 1000).toISOString()
}
