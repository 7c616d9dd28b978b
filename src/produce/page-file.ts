import type { Address } from './addresses.ts'
import type { Answer } from './ask.ts'
import { leadingPage, noticeInstead } from './live-nodes.ts'
import type { PageLinks } from './page-links.ts'
import { rewriteFile, rewritePage } from './rewrite.ts'

/** What an answer of the node is as a file; undefined for what is none. */
export function fileOf(
  { file, isPage, language }: Address,
  links: PageLinks,
  answer: Answer,
  { live, base }: { live: readonly string[]; base: string | undefined },
): Buffer | undefined {
  const { status, location } = answer
  if (location !== undefined && status >= 300 && status < 400) {
    const target = links.linkOf(location, { byReader: false })
    return target === undefined ? undefined : Buffer.from(leadingPage(target, language))
  }
  if (!isPage) {
    // A page that leads there would lead nowhere without it.
    if (status !== 200) return Buffer.alloc(0)
    if (file.startsWith('assets/')) return answer.body
    const text = rewriteFile(file, answer.text, base)
    return text === undefined ? undefined : Buffer.from(text)
  }
  const html = rewritePage(answer.text, {
    linkOf: links.linkOf,
    insteadOf: (action, isFirst) => noticeInstead({ live, language }, action, isFirst),
    base,
  })
  return Buffer.from(html)
}
