import { createReadStream } from 'node:fs'

/** How the first header of a Vorbis stream begins (Vorbis I, 4.2.1); it fills the stream's first page by itself. */
const MARK = Buffer.from('\u0001vorbis', 'latin1')

/** Whether an Ogg file holds several Vorbis streams: recordings of radio have one for each title, with its comments. */
export async function isChained(input: string): Promise<boolean> {
  let rest = Buffer.alloc(0)
  let streams = 0
  for await (const chunk of createReadStream(input, { highWaterMark: 1024 * 1024 })) {
    const bytes = Buffer.concat([rest, chunk as Buffer])
    for (let at = bytes.indexOf(MARK); at >= 0; at = bytes.indexOf(MARK, at + MARK.length)) streams += 1
    if (streams > 1) return true
    // Long enough for a mark that is cut in two, too short for a whole one.
    rest = bytes.subarray(Math.max(0, bytes.length - MARK.length + 1))
  }
  return false
}
