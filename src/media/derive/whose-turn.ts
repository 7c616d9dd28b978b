import { createHash } from 'node:crypto'

const HOUR_MS = 60 * 60 * 1000
/** A film takes a multiple of its own length to encode on cheap hardware, and others may be before it. */
const TIMES_ITS_LENGTH = 4

/** Who is asked whether it is its turn, and for what. */
export interface Asked {
  /** This node's key. */
  own: string
  /** The key of the node that signed the file's media document: it is the first to work on it. */
  signer: string
  /** The keys of all members of the network. */
  members: readonly string[]
  sha256: string
  durationMs?: number | undefined
}

/**
 * How long a node lets the others go first, in milliseconds after it has heard of a file. The node that published it
 * works on it at once. Where nothing of it has come after an hour (for a film and for sound four times its length
 * more), the next node does, and so on, in an order that is another for each file, so that nodes that cannot reach each
 * other seldom do the same. Where two do, the earlier one counts, and nothing is harmed.
 */
export function patienceMs({ own, signer, members, sha256, durationMs = 0 }: Asked): number {
  if (own === signer) return 0
  const rank = (key: string) => createHash('sha256').update(`${key} ${sha256}`).digest('hex')
  const mine = rank(own)
  const before = new Set(members.filter((key) => key !== signer && key !== own && rank(key) < mine))
  return (1 + before.size) * (HOUR_MS + TIMES_ITS_LENGTH * durationMs)
}
