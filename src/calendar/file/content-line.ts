const OCTETS_A_LINE = 75

/** One line of an iCalendar file: name, value as it stands there, parameters that need no quoting. */
export function contentLine(
  name: string,
  value: string,
  parameters: Readonly<Record<string, string>> = {},
): string {
  const settings = Object.entries(parameters).map(([key, setting]) => `;${key}=${setting}`)
  return fold(`${name}${settings.join('')}:${value}`)
}

/** A value of type TEXT (RFC 5545, 3.3.11). Control characters other than the line break have no place in it. */
export function escapeText(text: string): string {
  return (
    text
      .toWellFormed()
      .replaceAll(/\r\n?/gu, '\n')
      // eslint-disable-next-line no-control-regex -- control characters are just what must not be in a text
      .replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f]/gu, '')
      .replaceAll(/[\\;,]/gu, String.raw`\$&`)
      .replaceAll('\n', String.raw`\n`)
  )
}

/** A whole file's lines, unfolded, as they stand in it. */
export function contentLines(text: string): string {
  return text
    .split('\r\n')
    .filter((line) => line !== '')
    .map(fold)
    .join('')
}

/** Breaks a line into ones of at most 75 octets (RFC 5545, 3.1), never inside a character. */
function fold(line: string): string {
  const lines = ['']
  let room = OCTETS_A_LINE
  for (const character of line) {
    const octets = Buffer.byteLength(character)
    if (octets > room) {
      lines.push('')
      room = OCTETS_A_LINE - 1
    }
    lines.push(`${lines.pop()}${character}`)
    room -= octets
  }
  return `${lines.join('\r\n ')}\r\n`
}
