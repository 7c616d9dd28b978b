import type { FrontOptions } from './front.ts'

/** What a worker is to serve, and where. The secret goes through the channel: other users may read arguments. */
export interface Serve {
  type: 'serve'
  host: string
  port: number
  connections: number
  front: FrontOptions
}

export type ToWorker = Serve | { type: 'stop' }

export type FromWorker =
  { type: 'listening'; address: string } | { type: 'failed'; code: string; message: string; status: number }
