/**
 * Text that sorts as CouchDB sorts what map functions emit: null, false, true, numbers, strings, lists, objects. The
 * same order holds for the text's UTF-8 bytes, in which LevelDB compares. No value's text is the beginning of
 * another's, so anything may follow it. Strings compare by UTF-16 code units, as PouchDB's do, and not by a language's
 * rules. PouchDB's own `toIndexableString` does not serve: negative numbers that are close to each other become equal
 * there, and strings beyond the basic plane sort otherwise in LevelDB than in JavaScript.
 */
const NULL = '1'
const FALSE = '2'
const TRUE = '3'
const NUMBER = '4'
const STRING = '5'
const LIST = '6'
const OBJECT = '7'
const END = '\u0000'

/** Sorts behind everything that {@link orderedValue} and {@link orderedString} give. */
export const BEHIND_ALL = '\uffff'

// The end's own character, and those whose order differs between UTF-16 and UTF-8 or that UTF-8 cannot hold.
// eslint-disable-next-line no-control-regex
const ESCAPED = /[\u0000\u0001\ud800-\uffff]/g
const FIRST_SURROGATE = 0xd800
const BEHIND_SURROGATES = 0xe000

const number = new DataView(new ArrayBuffer(8))

/** @param value anything that JSON can hold */
export function orderedValue(value: unknown): string {
  switch (typeof value) {
    case 'boolean':
      return value ? TRUE : FALSE
    case 'number':
      return NUMBER + orderedNumber(value)
    case 'string':
      return STRING + orderedString(value)
    default:
  }
  if (typeof value !== 'object' || value === null) return NULL
  if (Array.isArray(value)) return LIST + value.map(orderedValue).join('') + END
  const members = Object.entries(value).map(([name, member]) => orderedValue(name) + orderedValue(member))
  return OBJECT + members.join('') + END
}

/** A string that sorts as the given one does, and ends. */
export function orderedString(text: string): string {
  return text.replace(ESCAPED, escape) + END
}

function escape(unit: string): string {
  const code = unit.charCodeAt(0)
  if (code <= 1) return `\u0001${String.fromCharCode(code + 1)}`
  if (code < BEHIND_SURROGATES) return `\ue000${String.fromCharCode(code - FIRST_SURROGATE + 1)}`
  return `\ue001${String.fromCharCode(code - BEHIND_SURROGATES + 1)}`
}

/** The number's IEEE 754 bits in hexadecimal digits: as they are they sort positive numbers, inverted negative ones. */
function orderedNumber(value: number): string {
  // Minus nought is nought.
  number.setFloat64(0, value + 0)
  const high = number.getUint32(0)
  const low = number.getUint32(4)
  return value < 0
    ? hexadecimal(~high) + hexadecimal(~low)
    : hexadecimal(high | 0x80000000) + hexadecimal(low)
}

function hexadecimal(bits: number): string {
  return (bits >>> 0).toString(16).padStart(8, '0')
}
