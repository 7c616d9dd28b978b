/** A replicator's checkpoint as PouchDB writes it at both ends; places in the source's changes are opaque. */
export interface Checkpoint {
  session_id?: string
  last_seq?: string | number
  history?: { session_id?: string; last_seq?: string | number }[]
  [field: string]: unknown
}

/**
 * Makes the source's checkpoint say of every session what the target's says. PouchDB goes on where the source says, when
 * both know the session; but after a power cut, or when a backup was put back, the target has less than it had, and its
 * own checkpoint, which lies in the same store as the documents, is the one that tells. Pure.
 */
export function targetDecides(source: Checkpoint, target: Checkpoint): Checkpoint {
  const known = new Map((target.history ?? []).map((entry) => [entry.session_id, entry.last_seq]))
  if (target.session_id !== undefined) known.set(target.session_id, target.last_seq)
  const placeOf = (session: string | undefined, place: string | number | undefined) =>
    session !== undefined && known.has(session) ? known.get(session) : place
  return {
    ...source,
    last_seq: placeOf(source.session_id, source.last_seq),
    history: (source.history ?? []).map((entry) => ({
      ...entry,
      last_seq: placeOf(entry.session_id, entry.last_seq),
    })),
  }
}
