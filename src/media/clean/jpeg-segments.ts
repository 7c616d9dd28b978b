const START = 0xd8
const END = 0xd9
const SCAN = 0xda
const COMMENT = 0xfe
const APP0 = 0xe0
const APP14 = 0xee
const APP15 = 0xef
const JFIF_BYTES = 14

/** Where the coded data of a scan ends: at the next marker that is neither a stuffed byte nor a restart. */
function endOfScan(bytes: Buffer, from: number): number {
  for (let at = bytes.indexOf(0xff, from); at >= 0; at = bytes.indexOf(0xff, at + 1)) {
    const next = bytes[at + 1]
    if (next === undefined) break
    if (next !== 0 && next !== 0xff && (next < 0xd0 || next > 0xd7)) return at
  }
  return bytes.length
}

/** The JFIF header without its thumbnail. */
function bareJfif(segment: Buffer): Buffer {
  const bare = Buffer.from(segment.subarray(4, 4 + JFIF_BYTES))
  bare.writeUInt16BE(0, JFIF_BYTES - 2)
  return Buffer.concat([Buffer.from([0xff, APP0, 0, JFIF_BYTES + 2]), bare])
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
    const segment = bytes.subarray(at, end)
    const isNote = marker === COMMENT || (marker >= APP0 && marker <= APP15)
    if (marker === APP0 && segment.toString('latin1', 4, 9) === 'JFIF\0' && segment.length >= 4 + JFIF_BYTES)
      kept.push(bareJfif(segment))
    else if (!isNote || (marker === APP14 && segment.toString('latin1', 4, 9) === 'Adobe')) kept.push(segment)
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

const NOTES = new Set(['uuid', 'xml ', 'uinf', 'asoc', 'free', 'skip', 'mdat'])

/** A JPEG 2000 file without the boxes that hold notes (ISO/IEC 15444-1, annex I); a bare code stream stays as it is. */
export function bareJpeg2000(bytes: Buffer): Buffer | undefined {
  if (bytes.readUInt16BE(0) === 0xff4f) return bytes
  const kept: Buffer[] = []
  let at = 0
  while (at + 8 <= bytes.length) {
    const short = bytes.readUInt32BE(at)
    if (short === 1 && at + 16 > bytes.length) return undefined
    const length =
      short === 0 ? bytes.length - at : short === 1 ? Number(bytes.readBigUInt64BE(at + 8)) : short
    if (length < 8 || at + length > bytes.length) return undefined
    if (!NOTES.has(bytes.toString('latin1', at + 4, at + 8))) kept.push(bytes.subarray(at, at + length))
    at += length
  }
  return kept.length > 0 ? Buffer.concat(kept) : undefined
}
