import { readFile, writeFile } from 'node:fs/promises'
import { unreadable } from './problems.ts'
import { textOf } from './text.ts'

const STYLE_OR_REGION = /^(?:STYLE|REGION)[ \t]*(?:\n|$)/
const STYLE_COMMENT = /\/\*[^]*?(?:\*\/|$)/g

/** A block that a reader sees something of; a cue has its times in the first line, or below its name. */
function shownBlock(block: string): string[] {
  const [first = '', second = ''] = block.split('\n', 2)
  if (first.includes('-->')) return [block]
  if (second.includes('-->')) return [first.startsWith('NOTE') ? block.slice(first.length + 1) : block]
  return STYLE_OR_REGION.test(block) ? [block.replaceAll(STYLE_COMMENT, '')] : []
}

/**
 * Writes captions anew without what no reader sees: the text beside `WEBVTT`, headers, notes, comments in styles, and
 * blocks that are nothing (https://www.w3.org/TR/webvtt1/#file-structure).
 *
 * @throws HyperactiveError `media_unreadable` where it is no text
 */
export async function cleanCaptions(input: string, output: string): Promise<void> {
  const text = textOf(await readFile(input), true)
  if (text === undefined) throw unreadable('captions are text in UTF-8')
  const [, ...lines] = text.replaceAll(/\r\n?/g, '\n').split('\n')
  // The header ends with an empty line, or where the first cue begins.
  const start = lines.findIndex((line) => line === '' || line.includes('-->'))
  const blocks =
    start < 0
      ? []
      : lines
          .slice(start)
          .join('\n')
          .split(/\n{2,}/)
  const kept = blocks.flatMap((block) => shownBlock(block.replaceAll(/^\n+|\n+$/g, '')))
  await writeFile(output, `${['WEBVTT', ...kept].join('\n\n')}\n`, { flag: 'wx' })
}
