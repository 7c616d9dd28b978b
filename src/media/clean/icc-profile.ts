const HEADER_BYTES = 128
const ENTRY_BYTES = 12
const MOST_TAGS = 100
/** What turns colours into others. The rest says who made the profile, for which display with which serial number. */
const COLOURS = /^(?:[AB]2[AB]\d|[DB]2[DB]\d|[rgbk]TRC|[rgb]XYZ|wtpt|bkpt|chad|gamt|pre\d|lumi|cicp)$/
/** Date, platform's maker, model, creator and id, by place and length (ICC.1:2022, 7.2). */
const NOTES = [
  [24, 12],
  [48, 8],
  [80, 20],
] as const

/** A text of one letter in the type that a version of the format asks for. */
function text(isVersion4: boolean, isDescription: boolean): Buffer {
  if (isVersion4) {
    const bytes = Buffer.alloc(32)
    bytes.write('mluc')
    bytes.writeUInt32BE(1, 8)
    bytes.writeUInt32BE(12, 12)
    bytes.write('enUS', 16)
    bytes.writeUInt32BE(2, 20)
    bytes.writeUInt32BE(28, 24)
    bytes.writeUInt16BE(0x2d, 28)
    return bytes
  }
  const bytes = Buffer.alloc(isDescription ? 92 : 12)
  bytes.write(isDescription ? 'desc' : 'text')
  if (isDescription) bytes.writeUInt32BE(2, 8)
  bytes.write('-', isDescription ? 12 : 8)
  return bytes
}

/**
 * A colour profile with what turns colours into others, and nothing that says whose or from where it is.
 *
 * @returns nothing where it is no profile
 */
export function bareIcc(bytes: Buffer): Buffer | undefined {
  if (bytes.length < HEADER_BYTES + 4 || bytes.toString('latin1', 36, 40) !== 'acsp') return undefined
  const count = bytes.readUInt32BE(HEADER_BYTES)
  if (count > MOST_TAGS || HEADER_BYTES + 4 + count * ENTRY_BYTES > bytes.length) return undefined
  const isVersion4 = (bytes[8] ?? 0) >= 4
  const tags: [name: string, data: Buffer][] = [
    ['desc', text(isVersion4, true)],
    ['cprt', text(isVersion4, false)],
  ]
  for (let index = 0; index < count; index += 1) {
    const at = HEADER_BYTES + 4 + index * ENTRY_BYTES
    const name = bytes.toString('latin1', at, at + 4)
    const start = bytes.readUInt32BE(at + 4)
    const end = start + bytes.readUInt32BE(at + 8)
    if (end > bytes.length) return undefined
    if (COLOURS.test(name)) tags.push([name, bytes.subarray(start, end)])
  }
  const header = Buffer.from(bytes.subarray(0, HEADER_BYTES))
  for (const [at, length] of NOTES) header.fill(0, at, at + length)
  const table = Buffer.alloc(4 + tags.length * ENTRY_BYTES)
  table.writeUInt32BE(tags.length, 0)
  const data: Buffer[] = []
  let at = HEADER_BYTES + table.length
  for (const [index, [name, tag]] of tags.entries()) {
    const entry = 4 + index * ENTRY_BYTES
    table.write(name, entry, 'latin1')
    table.writeUInt32BE(at, entry + 4)
    table.writeUInt32BE(tag.length, entry + 8)
    const padded = Buffer.alloc(Math.ceil(tag.length / 4) * 4)
    tag.copy(padded)
    data.push(padded)
    at += padded.length
  }
  header.writeUInt32BE(at, 0)
  return Buffer.concat([header, table, ...data])
}
