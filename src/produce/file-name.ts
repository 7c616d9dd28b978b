import { createHash } from 'node:crypto'

const LONGEST_PLAIN = 64
const LONGEST_READABLE = 40
/** Names that file systems of Windows keep for devices, whatever their ending. */
const DEVICES = /^(?:con|prn|aux|nul|com\d|lpt\d)$/

/**
 * A part of an address as the name of a folder. Two parts never get the same name, also where a file system does not tell
 * capitals from small letters or one form of Unicode from another: what is not plain ends with a hash of the whole part.
 */
export function folderName(part: string): string {
  const isPlain = /^[a-z0-9][a-z0-9_-]*$/.test(part) && part.length <= LONGEST_PLAIN && !DEVICES.test(part)
  return isPlain ? part : `${readable(part)}~${hashOf(part)}`
}

/** The name of a page that a parameter of its address tells from the others of its folder. */
export function pageName(parameter: string, value: string): string {
  return `${parameter}~${hashOf(value)}.html`
}

function readable(part: string): string {
  return part
    .slice(0, 4 * LONGEST_READABLE)
    .normalize('NFKD')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, LONGEST_READABLE)
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16)
}
