import { HyperactiveError } from '../errors.ts'
import type { Config } from './config.ts'

/**
 * For commands that a node which is only read does not have.
 *
 * @throws HyperactiveError `is_mirror`
 */
export function refuseOnMirror({ mirror }: Pick<Config, 'mirror'>): void {
  if (!mirror) return
  const text = `this node is a mirror: that is done on ${mirror.publishAt.join(' or ')}`
  throw new HyperactiveError('is_mirror', text, { status: 403 })
}
