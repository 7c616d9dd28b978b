/** What the parent tells the embedded store's process. The password travels here, where no other user can read it. */
export type ToChild =
  { type: 'open'; folder: string; port: number; username: string; password: string } | { type: 'stop' }

export type FromChild =
  | { type: 'listening'; port: number }
  | { type: 'failed'; message: string; locked: boolean; portTaken: boolean }
