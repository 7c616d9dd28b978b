import { renderMarkdown } from '../pages/markdown.ts'
import { pathOf, text } from '../pages/models.ts'
import type { NamedLink } from '../pages/models.ts'
import { scope } from '../project/site-rows.ts'
import { currentReads, noteUntold, Reads, tracking } from '../reads.ts'
import type { WebContext } from './context.ts'

const MOST_PAGES = 12
const MOST_SNIPPETS = 50

/** What stands around every page: links to the pages of the menu, and the snippets at the foot. */
interface FrameParts {
  menu: NamedLink[]
  foot: string[]
}

/** Keeps what stands around every page until the site changes. */
export class Frame {
  readonly #web: Pick<WebContext, 'site' | 'version'>
  #parts: FrameParts = { menu: [], foot: [] }
  #version = -1
  /** What they were made of. */
  #reads = new Reads()

  constructor(web: Pick<WebContext, 'site' | 'version'>) {
    this.#web = web
  }

  /** Gives what it has when the store cannot be asked: an error page has a frame too. */
  async read(): Promise<FrameParts> {
    const version = this.#web.version()
    if (version === this.#version) {
      currentReads()?.add(this.#reads)
      return this.#parts
    }
    try {
      const { value, reads } = await tracking(() =>
        this.#web.site.newest({
          menu: { scope: scope('menu'), limit: MOST_PAGES, part: 'name' },
          foot: { scope: scope('spot', 'foot'), limit: MOST_SNIPPETS, part: 'body' },
        }),
      )
      currentReads()?.add(reads)
      const { menu, foot } = value
      this.#reads = reads
      this.#parts = {
        menu: menu.map(({ item, kind, title }) => ({ name: title, path: pathOf(kind, item) })).reverse(),
        foot: foot.map(({ body }) => renderMarkdown(text(body))),
      }
      this.#version = version
    } catch {
      // Perhaps it is another by now.
      noteUntold()
    }
    return this.#parts
  }
}
