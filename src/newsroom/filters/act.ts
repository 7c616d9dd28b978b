import { kindOf } from '../../kinds/base/registry.ts'
import { uniqueTerms } from '../../kinds/base/vocabulary.ts'
import type { SigningKey } from '../../ledger/keys.ts'
import type { Entry } from '../../ledger/ledger.ts'
import { inPieces } from '../../pieces.ts'
import { isApproved } from '../../project/decisions.ts'
import { isByEditor } from '../../project/merge-item.ts'
import type { SiteComment, SiteItem } from '../../project/site-item.ts'
import { decideOnAll } from '../decide.ts'
import { editTime } from '../edit-time.ts'
import type { Judgement, Newsroom } from '../decide.ts'
import { nameOf, readTarget } from '../target.ts'
import type { Filter } from './filter.ts'
import { matchId, newMatch, textVersion } from './matches.ts'
import type { Match, Matches } from './matches.ts'

const EDITS_AT_ONCE = 200

/** A filter with something that it matches. */
export interface Hit {
  filter: Filter
  document: SiteItem | SiteComment
}

/** What filters act with. */
export interface Hands {
  newsroom: Newsroom
  /** The node's key: it signs a tag's edit as the nodes of a network do, which are its editors. */
  key: SigningKey
  matches: Matches
  /** What stands in the log beside the reason, in the site's language. */
  reason: (filter: Filter) => string
}

/**
 * Does what filters say with what they match, and remembers it. No filter acts against a moderator, on what an editor
 * published, or twice on one thing; what it may not hide waits for a moderator instead. Whatever is done before a
 * crash is done already when it is tried again, and then only remembered.
 *
 * @param again also on what is remembered, because a moderator asks for it
 */
export async function act(hands: Hands, hits: readonly Hit[], { again = false } = {}): Promise<void> {
  const open = hits.filter(({ document }) => document.type === 'comment' || !isByEditor(document))
  const known = await hands.matches.of([...new Set(open.map(({ document }) => nameOf(document)))])
  const hide = new Map<string, Judgement>()
  const tag = new Map<string, { item: SiteItem; tags: Set<string>; names: Set<string> }>()
  const remembered: Match[] = []
  for (const { filter, document } of open) {
    const target = nameOf(document)
    const before = known.get(matchId(target, filter.id))
    if (before?.version === textVersion(document) && !again) continue
    const acted = before?.acted === true && !again
    if (filter.deed === 'hide') {
      const isLeft = acted || isApproved(document.decisions, hands.newsroom.policy)
      const isHidden = document.standing.hidden && document.standing.closed !== 'awaiting'
      if (!isHidden && !isLeft && !hide.has(target)) hide.set(target, hiding(hands, filter, target))
      remembered.push(newMatch(filter, document, before, { open: isLeft && !isHidden, acted: true }))
    } else if (filter.deed === 'tag') {
      // An edit would settle a clash that waits for a person: it is tagged once that is done.
      if (document.type !== 'item' || acted || document.clashes.length > 0) continue
      const tagged = tag.get(target) ?? { item: document, tags: new Set(), names: new Set() }
      tag.set(target, tagged)
      tagged.tags.add(filter.tag ?? '')
      tagged.names.add(filter.name)
      remembered.push(newMatch(filter, document, before, { open: false, acted: true }))
    } else remembered.push(newMatch(filter, document, before, { open: true, acted: false }))
  }
  await decideOnAll(hands.newsroom, [...hide.values()])
  await addTags(hands, [...tag.values()])
  await hands.matches.remember(remembered)
}

function hiding({ reason }: Hands, filter: Filter, target: string): Judgement {
  const named = readTarget(target) ?? { item: target }
  const { category } = filter
  return { ...named, action: 'hide', reason: reason(filter), ...(category === undefined ? {} : { category }) }
}

async function addTags(
  { newsroom: { ledger }, key }: Hands,
  tagged: readonly { item: SiteItem; tags: Set<string>; names: Set<string> }[],
): Promise<void> {
  const entries = tagged.flatMap(({ item, tags: more, names }): Entry[] => {
    const before = (item.fields.tags ?? []) as string[]
    const tags = uniqueTerms([...before, ...more])
    const fields = { ...item.fields, tags }
    const isFit = kindOf(item.kind)?.schema.safeParse(fields).success === true
    if (tags.length === before.length || !isFit) return []
    const note = [...names].join(', ').slice(0, 200)
    const draft = {
      type: 'edit',
      item: item._id,
      kind: item.kind,
      parents: item.heads,
      fields,
      note,
    } as const
    const at = editTime(fields, item, item.heads)
    return [{ draft, author: key, ...(at === undefined ? {} : { at }) }]
  })
  for (const some of inPieces(entries, EDITS_AT_ONCE)) await ledger.append(some)
}
