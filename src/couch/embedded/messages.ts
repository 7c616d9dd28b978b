/** What the parent tells the embedded store's process. The password travels here, where no other user can read it. */
export type ToChild =
  { type: 'open'; folder: string; port: number; username: string; password: string } | { type: 'stop' }

/** Why the store did not open; each is a HyperactiveError's code in the parent. */
export type OpenProblem = 'store_locked' | 'store_wrong_version' | 'store_port_taken' | 'store_unreadable'

export type FromChild =
  { type: 'listening'; port: number } | { type: 'failed'; problem: OpenProblem; message: string }
