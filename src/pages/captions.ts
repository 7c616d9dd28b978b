import type { Wording } from '../i18n/wording.ts'
import type { ItemFile } from '../project/media.ts'

/** Captions of a film or sound, as a player takes them. */
export interface ShownCaptions {
  path: string
  /** Captions say in the item's own language what is heard; subtitles translate it. */
  kind: 'captions' | 'subtitles'
  language: string
  label: string
}

/** "interview.es.vtt", "interview_pt-BR.vtt" */
const LANGUAGE_IN_NAME = /[._]([a-z]{2,3}(?:-[A-Za-z0-9]{2,8})?)$/

/** Whether a file is captions (WebVTT). */
export function isCaptions({ type }: Pick<ItemFile, 'type'>): boolean {
  return type === 'text/vtt'
}

/** What language captions are in, by their name or else as the item is, and what a player calls them. */
export function captionFacts(
  { name = '' }: Pick<ItemFile, 'name'>,
  {
    language: ofItem,
    player,
    wording,
  }: { language: string; player: { captions: readonly ShownCaptions[] }; wording: Wording },
): Omit<ShownCaptions, 'path'> {
  const named = LANGUAGE_IN_NAME.exec(name.replace(/\.vtt$/i, ''))?.[1]
  // "interview.cut.vtt" is in none that anybody knows.
  const isKnown = named !== undefined && wording.languageName(named) !== named
  const language = isKnown ? named : ofItem
  const before = player.captions.filter((known) => known.language === language).length
  const label = wording.languageName(language) + (before > 0 ? ` ${before + 1}` : '')
  return { kind: language === ofItem ? 'captions' : 'subtitles', language, label }
}
