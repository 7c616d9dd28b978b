import MarkdownIt from 'markdown-it'
import sanitizeHtml from 'sanitize-html'

/** Longer texts are shown as they were written: reading Markdown takes time that grows with what it nests. */
const LONGEST_MARKDOWN = 200_000
/** Marks that open something. Text that is made of them alone nests deeper than anybody writes by hand. */
const MOST_OPENERS = 20_000

const markdown = new MarkdownIt({ html: false, linkify: true, typographer: false, maxNesting: 30 })

// There are no media yet, and a picture from elsewhere would tell that place who reads: it becomes a link.
markdown.renderer.rules.image = (tokens, index) => {
  const token = tokens[index]
  const source = String(token?.attrGet('src') ?? '')
  const escape = markdown.utils.escapeHtml
  return `<a href="${escape(source)}">${escape(token?.content || source)}</a>`
}

// The page's title is its first heading; those of the text stand below it, and none leaves out a level.
markdown.core.ruler.push('headings', ({ tokens }) => {
  const above: number[] = []
  let level = ''
  for (const token of tokens) {
    if (token.type === 'heading_open') {
      const written = Number(token.tag.slice(1))
      while ((above.at(-1) ?? 0) >= written) above.pop()
      above.push(written)
      level = `h${Math.min(above.length + 1, 6)}`
    }
    if (token.type === 'heading_open' || token.type === 'heading_close') token.tag = level
  }
})

const TAGS =
  'p br hr h2 h3 h4 h5 h6 ul ol li blockquote pre code em strong s a table thead tbody tr th td'.split(' ')

const RULES: sanitizeHtml.IOptions = {
  allowedTags: TAGS,
  allowedAttributes: { a: ['href', 'title', 'rel'], ol: ['start'] },
  allowedSchemes: ['http', 'https', 'mailto'],
  allowProtocolRelative: false,
  disallowedTagsMode: 'escape',
  transformTags: {
    a: sanitizeHtml.simpleTransform('a', { rel: 'nofollow ugc noopener' }),
  },
}

/**
 * Turns an author's Markdown into HTML that is safe on any page: raw HTML in it is text, and what the renderer makes
 * goes through an allow-list once more. Text that would take too long is shown as it is.
 */
export function renderMarkdown(text: string): string {
  const openers = text.match(/[[\]*_`<>~!(]/g)?.length ?? 0
  if (text.length > LONGEST_MARKDOWN || openers > MOST_OPENERS) {
    return `<pre>${markdown.utils.escapeHtml(text)}</pre>`
  }
  return sanitizeHtml(markdown.render(text), RULES)
}
