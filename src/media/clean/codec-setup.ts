import { open } from 'node:fs/promises'
import { unreadable } from './problems.ts'

/** Containers that are written here have it before all frames. */
const HEAD_BYTES = 16 * 1024 * 1024
const SEI_PREFIX = 39
const SEI_SUFFIX = 40
const FILLER = 3
const METADATA_OBU = 5
const PADDING_OBU = 15
const END_OF_DATA = 0x80

/** The bytes of ffprobe's hexadecimal dump: in each line a place, up to 16 bytes in pairs, and the same as text. */
export function setupOf(dump: string): Buffer {
  const lines = dump.split('\n').filter((line) => /^[0-9a-f]{8}: /.test(line))
  return Buffer.from(lines.map((line) => line.slice(10, 51).replaceAll(' ', '')).join(''), 'hex')
}

/** Makes of an SEI message one that says nothing and is as long (ITU-T H.265, 7.3.5 and D.2.5). */
function emptyMessage(unit: Buffer): void {
  const payload = unit.subarray(2)
  payload.fill(END_OF_DATA)
  const sizeBytes = Math.floor(Math.max(0, payload.length - 3) / 256) + 1
  if (payload.length < 2 + sizeBytes) return
  // A size is written in bytes of 255 and a smaller one; of 256 lengths one cannot be reached, and is one too short.
  const last = Math.min(254, payload.length - 3 - 256 * (sizeBytes - 1))
  const filled = 255 * (sizeBytes - 1) + last
  payload[0] = FILLER
  payload.fill(0xff, 1, sizeBytes)
  payload[sizeBytes] = last
  payload.fill(0xff, 1 + sizeBytes, 1 + sizeBytes + filled)
}

/** Empties the messages in an HEVCDecoderConfigurationRecord (ISO/IEC 14496-15, 8.3.2.1). */
function emptyHevc(setup: Buffer): void {
  let at = 23
  for (let arrays = setup[22] ?? 0; arrays > 0 && at + 3 <= setup.length; arrays -= 1) {
    const type = (setup[at] ?? 0) & 0x3f
    const count = setup.readUInt16BE(at + 1)
    at += 3
    for (let index = 0; index < count && at + 2 <= setup.length; index += 1) {
      const end = at + 2 + setup.readUInt16BE(at)
      if (type === SEI_PREFIX || type === SEI_SUFFIX) emptyMessage(setup.subarray(at + 2, end))
      at = end
    }
  }
}

/** Makes metadata in an AV1CodecConfigurationRecord into padding (AV1 codec ISO media file format binding, 2.3.3). */
function emptyAv1(setup: Buffer): void {
  let at = 4
  while (at < setup.length) {
    const header = setup[at] ?? 0
    const start = at
    at += header & 4 ? 2 : 1
    let bytes = setup.length - at
    if (header & 2) {
      bytes = 0
      for (let shift = 0, more = true; more && at < setup.length; shift += 7, at += 1) {
        const byte = setup[at] ?? 0
        bytes += (byte & 0x7f) * 2 ** shift
        more = byte >= 0x80
      }
    }
    if (((header >>> 3) & 15) === METADATA_OBU) {
      setup[start] = (header & ~0x78) | (PADDING_OBU << 3)
      setup.fill(END_OF_DATA, at, at + bytes)
    }
    at += bytes
  }
}

/** Where a colour profile begins in the index of an MP4, and where it ends; without numbers for colours ffmpeg keeps it. */
function profileIn(head: Buffer): [start: number, end: number] | undefined {
  if (head.toString('latin1', 4, 8) !== 'ftyp') return undefined
  const at = head.subarray(0, head.indexOf('mdat')).indexOf('colrprof')
  if (at < 4) return undefined
  const end = at - 4 + head.readUInt32BE(at - 4)
  return end > at && end <= head.length ? [at, end] : undefined
}

/**
 * Takes messages out of what a decoder is set up with, and colour profiles, in a film that ffmpeg has written: its
 * filters see the frames alone, and encoders put their messages there as well.
 *
 * @param setup what the decoder of its video is set up with
 * @throws HyperactiveError `media_unreadable` where that is not found in the file
 */
export async function emptyNotes(path: string, codec: string, setup: Buffer): Promise<void> {
  await using file = await open(path, 'r+')
  const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0)
  const head = buffer.subarray(0, bytesRead)
  const profile = profileIn(head)
  if (profile) {
    const [start, end] = profile
    const empty = Buffer.alloc(end - start)
    empty.write('free')
    await file.write(empty, 0, empty.length, start)
  }
  const empty = Buffer.from(setup)
  if (codec === 'hevc') emptyHevc(empty)
  if (codec === 'av1') emptyAv1(empty)
  if (empty.equals(setup)) return
  const at = head.indexOf(setup)
  if (at < 0) throw unreadable('what its decoder is set up with cannot be taken apart')
  await file.write(empty, 0, empty.length, at)
}
