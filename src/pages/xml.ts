/** An XML element: its attributes and its content, a text or further elements. */
export type Element = readonly [
  name: string,
  content: string | readonly Element[],
  attributes?: Readonly<Record<string, string>>,
]

/** An XML document in UTF-8. Texts and attributes are escaped, and lose what XML 1.0 has no place for. */
export function xmlDocument(root: Element): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n${render(root)}\n`
}

function render([name, content, attributes = {}]: Element): string {
  const shown = Object.entries(attributes).map(([key, value]) => ` ${key}="${escape(value)}"`)
  const inner = typeof content === 'string' ? escape(content) : content.map(render).join('')
  return `<${name}${shown.join('')}>${inner}</${name}>`
}

function escape(text: string): string {
  return (
    text
      .toWellFormed()
      // eslint-disable-next-line no-control-regex -- XML 1.0 has no place for them
      .replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '')
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      .replaceAll('>', '&gt;')
      .replaceAll('"', '&quot;')
  )
}
