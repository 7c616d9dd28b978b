import { readFile, writeFile } from 'node:fs/promises'
import { unreadable } from './problems.ts'
import { textOf } from './text.ts'

/**
 * Writes captions anew without what no reader sees: the text beside `WEBVTT`, headers, and notes
 * (https://www.w3.org/TR/webvtt1/#introduction-comments).
 *
 * @throws HyperactiveError `media_unreadable` where it is no text
 */
export async function cleanCaptions(input: string, output: string): Promise<void> {
  const text = textOf(await readFile(input), true)
  if (text === undefined) throw unreadable('captions are text in UTF-8')
  const [, ...blocks] = text.replaceAll(/\r\n?/g, '\n').split(/\n\n+/)
  const kept = blocks.filter((block) => !/^\n*NOTE(?:[ \t\n]|$)/.test(block)).map((block) => block.trim())
  await writeFile(output, `${['WEBVTT', ...kept.filter((block) => block !== '')].join('\n\n')}\n`, {
    flag: 'wx',
  })
}
