import type { Config } from '../../src/config/config.ts'
import { policyOf } from '../../src/project/policy.ts'
import type { Policy } from '../../src/project/policy.ts'

const DEFAULTS = {
  decisions: 'all',
  erasures: 'ask',
  publishing: 'open',
  comments: 'open',
  concealNeeds: 1,
} as const

/** A node's policy: that of the default settings, apart from what is given. */
export function policy(own: string, given: Partial<Config['moderation']> = {}): Policy {
  return policyOf({ moderation: { ...DEFAULTS, ...given } }, own)
}
