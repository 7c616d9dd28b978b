import { parentPort, workerData } from 'node:worker_threads'
import { HyperactiveError, messageOf } from '../errors.ts'
import type { ReadOutcome } from './read-apart.ts'
import { readFeed } from './read-feed.ts'
import type { FeedSource } from './read-feed.ts'

/** Reads one feed in a thread of its own. */
function read(source: FeedSource): ReadOutcome {
  try {
    return { feed: readFeed(source) }
  } catch (error) {
    const code = error instanceof HyperactiveError ? error.code : 'feed_malformed'
    return { code, message: messageOf(error) }
  }
}

parentPort?.postMessage(read(workerData as FeedSource), [])
