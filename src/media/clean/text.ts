import { createReadStream, createWriteStream } from 'node:fs'
import { Transform } from 'node:stream'
import type { TransformCallback } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { unreadable } from './problems.ts'

const BOM = '\uFEFF'
/** Control characters do not occur in text, but for tab, line feed, form feed and carriage return. */
// oxlint-disable-next-line no-control-regex -- they are what is looked for
const CONTROL = /[\u0000-\u0008\u000B\u000E-\u001F\u007F]/

/** The encoding that the first bytes of a text show: UTF-8, or UTF-16 with its mark. */
export function encodingOf(head: Uint8Array): 'utf-8' | 'utf-16le' | 'utf-16be' {
  if (head[0] === 0xff && head[1] === 0xfe) return 'utf-16le'
  if (head[0] === 0xfe && head[1] === 0xff) return 'utf-16be'
  return 'utf-8'
}

/**
 * The text that these first bytes of a file begin with, or nothing when they are no text.
 *
 * @param whole whether they are the whole file; otherwise a character may be cut at the end
 */
export function textOf(head: Uint8Array, whole: boolean): string | undefined {
  try {
    const decoder = new TextDecoder(encodingOf(head), { fatal: true })
    const text = decoder.decode(head, { stream: !whole })
    return CONTROL.test(text) ? undefined : text
  } catch {
    return undefined
  }
}

/** Whether lines of a text have one and the same number of columns, two at least. */
export function looksLikeTable(text: string, whole: boolean): boolean {
  const lines = text.trimEnd().split(/\r?\n/)
  // The last one may be cut off.
  if (!whole) lines.pop()
  if (lines.length < 2) return false
  return [',', ';', '\t'].some((separator) => {
    const columns = lines.map((line) => line.replaceAll(/"[^"]*"/g, '').split(separator).length)
    return (columns[0] ?? 0) > 1 && columns.every((count) => count === columns[0])
  })
}

/**
 * Writes a text anew as UTF-8 without a mark at its start.
 *
 * @throws HyperactiveError `media_unreadable` where it is none
 */
export async function cleanText(input: string, output: string, head: Uint8Array): Promise<void> {
  const decoder = new TextDecoder(encodingOf(head), { fatal: true })
  const decode = (bytes: Uint8Array | undefined, done: TransformCallback) => {
    try {
      const text = decoder.decode(bytes, { stream: bytes !== undefined }).replaceAll(BOM, '')
      if (CONTROL.test(text)) done(unreadable('it begins as text and goes on as something else'))
      else done(null, text)
    } catch (error) {
      done(unreadable('not all of it is text', error))
    }
  }
  await pipeline(
    createReadStream(input),
    new Transform({
      transform: (bytes: Uint8Array, _, done) => decode(bytes, done),
      flush: (done) => decode(undefined, done),
    }),
    createWriteStream(output, { flags: 'wx' }),
  )
}
