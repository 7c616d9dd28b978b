const START = 0xd8
const END = 0xd9
const SCAN = 0xda
const COMMENT = 0xfe
const APP0 = 0xe0
const APP14 = 0xee
const APP15 = 0xef
const JFIF_BYTES = 14
const ADOBE_BYTES = 12

/** Where the coded data of a scan ends: at the next marker that is neither a stuffed byte nor a restart. */
function endOfScan(bytes: Buffer, from: number): number {
  for (let at = bytes.indexOf(0xff, from); at >= 0; at = bytes.indexOf(0xff, at + 1)) {
    const next = bytes[at + 1]
    if (next === undefined) break
    if (next !== 0 && next !== 0xff && (next < 0xd0 || next > 0xd7)) return at
  }
  return bytes.length
}

/** A segment with this much of it. */
function shortened(segment: Buffer, bytes: number): Buffer {
  const bare = Buffer.from(segment.subarray(0, 4 + bytes))
  bare.writeUInt16BE(bytes + 2, 2)
  return bare
}

/** What of a segment stays: nothing of notes; of the two that say what the colours are, what their formats know. */
function bareSegment(segment: Buffer): Buffer | undefined {
  const marker = segment[1] ?? 0
  const begins = (name: string, bytes: number) =>
    segment.toString('latin1', 4, 4 + name.length) === name && segment.length >= 4 + bytes
  if (marker === APP0 && begins('JFIF\0', JFIF_BYTES)) {
    const bare = shortened(segment, JFIF_BYTES)
    // The size of the thumbnail that would follow.
    bare.writeUInt16BE(0, bare.length - 2)
    return bare
  }
  if (marker === APP14 && begins('Adobe', ADOBE_BYTES)) return shortened(segment, ADOBE_BYTES)
  const isNote = marker === COMMENT || (marker >= APP0 && marker <= APP15)
  return isNote ? undefined : segment
}

/**
 * A JPEG with the segments that its pixels need, bit for bit: no comments, no application data (EXIF, XMP, IPTC,
 * thumbnails, ICC) but for the two that say what its colours are, nothing behind its end (ITU T.81, annex B).
 *
 * @returns nothing where it is no JPEG
 */
export function bareJpeg(bytes: Buffer): Buffer | undefined {
  if (bytes[0] !== 0xff || bytes[1] !== START) return undefined
  const kept = [bytes.subarray(0, 2)]
  let at = 2
  while (at + 4 <= bytes.length) {
    if (bytes[at] !== 0xff) return undefined
    const marker = bytes[at + 1] ?? 0
    if (marker === 0xff) {
      at += 1
      continue
    }
    if (marker === END) break
    const end = at + 2 + bytes.readUInt16BE(at + 2)
    if (end > bytes.length) return undefined
    const segment = bareSegment(bytes.subarray(at, end))
    if (segment) kept.push(segment)
    at = end
    if (marker === SCAN) {
      const next = endOfScan(bytes, at)
      kept.push(bytes.subarray(at, next))
      at = next
    }
  }
  kept.push(Buffer.from([0xff, END]))
  return Buffer.concat(kept)
}

/** Boxes that a picture needs (ISO/IEC 15444-1, annex I, and 15444-2, annex M). */
const PICTURE_BOXES = new Set(['jP  ', 'ftyp', 'rreq', 'jp2h', 'jpch', 'jplh', 'jp2c'])
const CODE_STREAM = 0xff4f
const COMMENT_2000 = 0xff64
const TILE = 0xff90
const TILE_DATA = 0xff93

/** Empties the comments in the headers of a JPEG 2000 code stream where they stand (ISO/IEC 15444-1, annex A). */
function emptyComments(stream: Buffer): void {
  let at = 2
  let tileEnd = 0
  while (at + 4 <= stream.length) {
    const marker = stream.readUInt16BE(at)
    if (marker === TILE_DATA) {
      if (tileEnd <= at) return
      at = tileEnd
      continue
    }
    const end = at + 2 + stream.readUInt16BE(at + 2)
    if (marker < 0xff00 || end <= at + 2 || end > stream.length) return
    if (marker === COMMENT_2000) stream.fill(0x20, Math.min(at + 6, end), end)
    // A length of 0 means "up to the end".
    if (marker === TILE && at + 10 <= end) tileEnd = at + stream.readUInt32BE(at + 6)
    at = end
  }
}

/** A JPEG 2000 file with the boxes that its pixels need, and without comments in its code stream. */
export function bareJpeg2000(bytes: Buffer): Buffer | undefined {
  if (bytes.length < 2) return undefined
  if (bytes.readUInt16BE(0) === CODE_STREAM) {
    const bare = Buffer.from(bytes)
    emptyComments(bare)
    return bare
  }
  const kept: Buffer[] = []
  let at = 0
  while (at + 8 <= bytes.length) {
    const short = bytes.readUInt32BE(at)
    if (short === 1 && at + 16 > bytes.length) return undefined
    const length =
      short === 0 ? bytes.length - at : short === 1 ? Number(bytes.readBigUInt64BE(at + 8)) : short
    if (length < 8 || at + length > bytes.length) return undefined
    const kind = bytes.toString('latin1', at + 4, at + 8)
    const box = Buffer.from(bytes.subarray(at, at + length))
    if (kind === 'jp2c') emptyComments(box.subarray(short === 1 ? 16 : 8))
    if (PICTURE_BOXES.has(kind)) kept.push(box)
    at += length
  }
  return kept.length > 0 ? Buffer.concat(kept) : undefined
}
