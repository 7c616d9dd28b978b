import { HyperactiveError } from '../../errors.ts'

/** A file that is on other nodes, as far as is known, and did not come in time. */
export function notHere(sha256: string, cause?: unknown): HyperactiveError {
  const text = `the file ${sha256} is not here yet, and no other node has sent it in time; try again`
  return new HyperactiveError('blob_not_here_yet', text, { status: 503, retryAfterSeconds: 10, cause })
}

/** A peer's answer that is not what was asked for. */
export function wrongAnswer(peer: string, what: string): HyperactiveError {
  return new HyperactiveError(
    'peer_wrong_answer',
    `the peer ${peer} answered otherwise than it may: ${what}`,
    {
      status: 502,
    },
  )
}

/** A peer that does not answer, or not in time. */
export function noAnswer(peer: string, what: string, cause?: unknown): HyperactiveError {
  return new HyperactiveError('peer_no_answer', `the peer ${peer} does not answer: ${what}`, {
    status: 503,
    cause,
  })
}

/** A peer that has not what it was asked for. */
export function peerLacks(peer: string, what: string): HyperactiveError {
  return new HyperactiveError('peer_lacks', `the peer ${peer} does not have ${what}`, { status: 404 })
}

/** A fetch that was ended, because nobody needs the file any more. */
export function forgotten(sha256: string): HyperactiveError {
  return new HyperactiveError('blob_forgotten', `the file ${sha256} is no longer to be here`, { status: 404 })
}

export function codeOf(error: unknown): string {
  return error instanceof HyperactiveError ? error.code : 'unexpected'
}
