import { createReadStream, createWriteStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { unreadable } from './problems.ts'

/** Length of a frame from its header, and what all frames of one stream have in common. */
interface Frame {
  bytes: number
  stream: number
}

type ReadFrame = (bytes: Buffer, at: number) => Frame | undefined

const HEADER_BYTES = 7
const MPEG_RATES = [44_100, 48_000, 32_000]
const BITRATES_1 = [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320]
const BITRATES_2 = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160]

/** An MPEG audio layer III header (ISO/IEC 11172-3, 2.4.1.3 and 13818-3). */
function mp3Frame(bytes: Buffer, at: number): Frame | undefined {
  const header = bytes.readUInt32BE(at)
  const version = (header >>> 19) & 3
  const rate = MPEG_RATES[(header >>> 10) & 3]
  const isFirst = version === 3
  const bitrate = (isFirst ? BITRATES_1 : BITRATES_2)[(header >>> 12) & 15]
  const isLayer3 = ((header >>> 17) & 3) === 1
  if (header >>> 21 !== 0x7ff || version === 1 || !isLayer3 || !bitrate || rate === undefined)
    return undefined
  const hertz = rate / (isFirst ? 1 : version === 2 ? 2 : 4)
  const length = Math.floor(((isFirst ? 144_000 : 72_000) * bitrate) / hertz) + ((header >>> 9) & 1)
  // Version, layer and sampling rate.
  return { bytes: length, stream: header & 0xfffe_0c00 }
}

/** An ADTS header (ISO/IEC 13818-7, 6.2). */
function adtsFrame(bytes: Buffer, at: number): Frame | undefined {
  const sync = bytes.readUInt16BE(at)
  if ((sync & 0xfff6) !== 0xfff0) return undefined
  const length = (bytes.readUIntBE(at + 3, 3) >>> 5) & 0x1fff
  // Version, profile, sampling rate.
  return length > HEADER_BYTES
    ? { bytes: length, stream: (sync & 8) | (((bytes[at + 2] ?? 0) & 0xfc) << 4) }
    : undefined
}

/** How long an ID3v2 tag at the beginning is (https://id3.org/id3v2.4.0-structure, 3.1). */
function tagBytes(bytes: Buffer): number {
  if (bytes.length < 10 || bytes.toString('latin1', 0, 3) !== 'ID3') return 0
  return 10 + [6, 7, 8, 9].reduce((size, at) => size * 128 + ((bytes[at] ?? 0) & 0x7f), 0)
}

const READERS: Readonly<Record<string, ReadFrame>> = { mp3: mp3Frame, aac: adtsFrame }

/** Whether a container is a mere row of frames, where anything may stand between them. */
export function isRowOfFrames(container: string): boolean {
  return container in READERS
}

/**
 * Copies nothing but the frames of an MP3 or ADTS stream: tags at both ends and whatever else was put between or behind
 * the frames stays away (ffmpeg's own copy takes it along). A frame counts when another of the same stream, or one of
 * the ends of the file, is beside it on either side.
 *
 * @throws HyperactiveError `media_unreadable` where there are fewer than two
 */
export async function copyFrames(input: string, container: string, output: string): Promise<void> {
  const read = READERS[container]
  if (!read) throw new Error(`${container} is no row of frames`)
  let rest = Buffer.alloc(0)
  let stream: number | undefined
  let follows = false
  let frames = 0
  let skip: number | undefined
  /** Takes frames from the rest; before the end it leaves what it cannot judge yet. */
  const take = (isEnd: boolean): Buffer[] => {
    const taken: Buffer[] = []
    let at = 0
    while (at + HEADER_BYTES <= rest.length) {
      const frame = read(rest, at)
      if (!frame || (stream !== undefined && frame.stream !== stream)) {
        follows = false
        at += 1
        continue
      }
      const next = at + frame.bytes
      if (next + HEADER_BYTES > rest.length && !isEnd) break
      if (next > rest.length) {
        at += 1
        continue
      }
      const after = next + HEADER_BYTES <= rest.length ? read(rest, next) : undefined
      if (after?.stream === frame.stream || follows) {
        stream ??= frame.stream
        taken.push(rest.subarray(at, next))
        frames += 1
        follows = true
        at = next
      } else {
        at += 1
      }
    }
    rest = rest.subarray(at)
    return taken
  }
  await pipeline(
    createReadStream(input, { highWaterMark: 256 * 1024 }),
    async function* (chunks: AsyncIterable<Buffer>) {
      for await (const chunk of chunks) {
        rest = Buffer.concat([rest, chunk])
        // A tag in front can hold pictures, whose bytes may look like anything.
        skip ??= tagBytes(rest)
        const skipped = Math.min(skip, rest.length)
        skip -= skipped
        rest = rest.subarray(skipped)
        yield* take(false)
      }
      yield* take(true)
    },
    createWriteStream(output, { flags: 'wx' }),
  )
  if (frames < 2) throw unreadable('it holds no sound')
}
