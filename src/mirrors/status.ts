import type { Config } from '../config/config.ts'
import { MirrorRecord } from './record.ts'
import type { MirrorFacts } from './record.ts'

/** How a mirror is, as the node or a command noted it last. */
export interface MirrorStatus extends Omit<MirrorFacts, 'id' | 'digits' | 'oldDigits'> {
  name: string
  kind: string
  /** Files that were sent and are there, as far as is known. */
  files: number
}

/** How all mirrors are that the settings name. */
export function mirrorStatus(
  { data, mirrors }: Pick<Config, 'data' | 'mirrors'>,
  isRunning: boolean,
): MirrorStatus[] {
  return mirrors.map(({ name, kind }) => {
    using record = MirrorRecord.open(data, name)
    const { id: _, digits: __, oldDigits: ___, ...facts } = record.facts()
    const state = isRunning ? facts.state : 'stopped'
    return { name, kind, files: record.count(), ...facts, ...(state === undefined ? {} : { state }) }
  })
}

/** The same as a line for a terminal. */
export function describeMirror(mirror: MirrorStatus): string {
  const { name, kind, state, files, behind, lastSuccess, lastError, nextRetry, refused, refusal } = mirror
  const facts = [
    `last success ${lastSuccess ?? 'never'}`,
    `${files} files`,
    ...(behind === undefined ? [] : [`${behind} behind`]),
    ...(refused === undefined ? [] : [`${refused} refused (${refusal ?? ''})`]),
    ...(lastError === undefined ? [] : [`error: ${lastError}`]),
    ...(nextRetry === undefined || state === 'stopped' ? [] : [`next try ${nextRetry}`]),
  ]
  return `${name}  ${kind}  ${state ?? 'not begun'}  ${facts.join(', ')}`
}
