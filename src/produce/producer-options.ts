import type { RequestListener } from 'node:http'
import type { Language } from '../i18n/messages.ts'
import type { Site } from '../project/site.ts'
import type { SiteMedia } from './site-media.ts'
import type { SiteFolder } from './site-folder.ts'

export interface ProducerOptions {
  /** The node's web application, made with `PRODUCED` as its public address and without kept pages. */
  application: RequestListener
  site: Pick<Site, 'calendar'>
  /** Where its pictures, sound and film come from. */
  media: SiteMedia
  /** The site's own settings. */
  about: { language: string; timeZone: string }
  folder: SiteFolder
  /** Public addresses of nodes, the first one first: where forms and searches are. */
  live: readonly string[]
  /** The public address of the produced site, if it has one; else that of the first node. */
  base?: string | undefined
  /** Languages of the interface that get a folder of their own beside the site's own at the root. */
  languages?: readonly Language[]
  /**
   * How many pages are made at the same time. What they read is read together, so many are fast; but nothing else of the
   * process gets a turn between those that were answered together.
   */
  atOnce?: number
  /** Whether what pages were made of is kept, so that `Producer.changed` can be told of changes. */
  follows: boolean
  /** The map functions of the site database by their views' names, for `Producer.written`. */
  views?: Readonly<Record<string, { map: string }>>
}

/** What a production has done. */
export interface ProduceReport {
  files: number
  written: number
  removed: number
  /** Files that pages show and that are not on this node. */
  missing: string[]
  /** Addresses that could not be made, and what the site answered. */
  failed: { address: string; status: number }[]
}
