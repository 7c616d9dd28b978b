import { HyperactiveError } from '../../errors.ts'
import type { Site } from '../../project/site.ts'
import type { SiteComment, SiteItem } from '../../project/site-item.ts'
import type { Pattern } from './filter.ts'
import { Matcher } from './matcher.ts'
import { NO_TEXTS, textsOf } from './texts.ts'

/** So many of the newest items and comments a filter is tried on. */
export const TRIED = 1000
const AT_ONCE = 100
/** What looking at all of them may take. */
const LONGEST_MS = 10_000

/** What a filter would do. */
export interface Trial {
  looked: number
  matching: number
}

/**
 * Tries a pattern on what was published or changed last.
 *
 * @param take is given what matches, some at a time
 * @throws HyperactiveError `filter_bad_pattern`, `filter_too_large`, `filter_too_slow`
 */
export async function tryOut(
  site: Site,
  pattern: Pattern,
  take: (matching: (SiteItem | SiteComment)[]) => Promise<void> | void,
  { tried = TRIED, longestMs = LONGEST_MS }: { tried?: number; longestMs?: number } = {},
): Promise<Trial> {
  await using matcher = new Matcher()
  // Also where there is nothing yet an expression has to be one.
  await matcher.match({ looks: [{ pattern, at: [0] }], texts: [NO_TEXTS] }, longestMs)
  const trial: Trial = { looked: 0, matching: 0 }
  let leftMs = longestMs
  let after: { at: string; item: string } | undefined
  while (trial.looked < tried) {
    const limit = Math.min(AT_ONCE, tried - trial.looked)
    const { documents, next } = await site.changed(limit, after)
    const begunMs = performance.now()
    const texts = documents.map(textsOf)
    const [hits = []] = await matcher.match({ looks: [{ pattern, at: [...texts.keys()] }], texts }, leftMs)
    leftMs -= performance.now() - begunMs
    trial.looked += documents.length
    trial.matching += hits.length
    await take(hits.flatMap((index) => documents[index] ?? []))
    if (!next) break
    after = next
    if (leftMs <= 0)
      throw new HyperactiveError('filter_too_slow', 'looking at the texts takes too long', { status: 422 })
  }
  return trial
}
