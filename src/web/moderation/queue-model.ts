import type { Wording } from '../../i18n/wording.ts'
import { MOST_WAITING } from '../../newsroom/queue.ts'
import type { Counts, Queued, QueueParts } from '../../newsroom/queue.ts'
import { changedAt } from '../../newsroom/target.ts'
import { reasonNamed, text } from '../../pages/models.ts'

/** The parts of the queue in the order in which the page has them. */
export const PARTS = ['waiting', 'reported', 'matched', 'fresh'] as const

const LETTERS = 400

interface Choice {
  wording: Wording
  /** Targets whose boxes are ticked, and parts that are taken whole. */
  chosen: ReadonlySet<string>
  all: ReadonlySet<string>
}

/** What waits for moderators, in words. */
export function waitingText({ waiting, reported, matched }: Counts, { t }: Wording): string {
  const said = [
    ...(waiting > 0 ? [t('office.waiting', { count: waiting })] : []),
    ...(reported > 0 ? [t('office.reported', { count: reported })] : []),
    ...(matched > 0 ? [t('queue.matched', { count: matched })] : []),
  ]
  return said.length > 0 ? said.join(' · ') : t('office.nothing')
}

/** The parts of the queue for the page. */
export function queueModel(parts: QueueParts, counts: Counts, choice: Choice) {
  const { t } = choice.wording
  return PARTS.filter((name) => parts[name].entries.length > 0).map((name) => {
    const { entries, more } = parts[name]
    const count = name === 'fresh' ? entries.length : counts[name]
    const all =
      name === 'waiting'
        ? t('queue.allWaiting', { count: Math.min(count, MOST_WAITING) })
        : t('queue.allListed', { count: entries.length })
    return {
      name,
      title: titleOf(name, count, choice.wording),
      more,
      all,
      allChosen: choice.all.has(name),
      listed:
        name === 'waiting' ? '' : entries.map((entry) => `${entry.target}=${versionOf(entry)}`).join(' '),
      entries: entries.map((entry) => entryModel(entry, choice)),
    }
  })
}

function titleOf(name: (typeof PARTS)[number], count: number, { t }: Wording): string {
  switch (name) {
    case 'waiting':
      return t('office.waiting', { count })
    case 'reported':
      return t('office.reported', { count })
    case 'matched':
      return t('queue.matched', { count })
    default:
      return t('queue.fresh')
  }
}

function entryModel(entry: Queued, { wording, chosen }: Choice) {
  const { target, document, reports, filters } = entry
  const { fields = {} } = document ?? {}
  const title = text(fields.title)
  const says = `${text(fields.summary)} ${text(fields.body)}`.trim().slice(0, LETTERS)
  return {
    id: target,
    version: versionOf(entry),
    chosen: chosen.has(target),
    path: `/moderate/${target}`,
    kind: document?.type === 'item' ? wording.kind(document.kind) : wording.t('comments.one'),
    // A comment need not have a title; it is then known by its beginning.
    title: title || says.slice(0, 80) || target,
    text: title === '' && says.length <= 80 ? '' : says,
    at: document && wording.moment(changedAt(document)),
    filters,
    reports: reports.map(({ category, reason, at }) => ({ category: reasonNamed(category), reason, at })),
  }
}

function versionOf({ document }: Queued): string {
  return document ? changedAt(document) : 'yes'
}
