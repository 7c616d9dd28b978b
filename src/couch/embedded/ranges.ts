import { CouchAnswer, flag, wholeNumber } from './answers.ts'

/** Parameters of `_all_docs` and of views, read and checked. */
export interface Range {
  key?: unknown
  keys?: unknown[]
  startkey?: unknown
  endkey?: unknown
  startkey_docid?: string
  endkey_docid?: string
  inclusive_end?: boolean
  descending?: boolean
  limit?: number
  skip?: number
  include_docs?: boolean
  conflicts?: boolean
  reduce?: boolean
  group?: boolean
  group_level?: number
  update_seq?: boolean
  update?: 'true' | 'false' | 'lazy'
}

const OTHER_SPELLINGS: Record<string, string> = {
  start_key: 'startkey',
  end_key: 'endkey',
  start_key_doc_id: 'startkey_docid',
  end_key_doc_id: 'endkey_docid',
}

/**
 * Reads a range's parameters. In an address they are text and keys are JSON; in a body they are JSON throughout.
 *
 * @throws CouchAnswer 400 `query_parse_error`
 */
export function readRange(given: Record<string, unknown>, from: 'address' | 'body'): Range {
  const range: Range = {}
  for (const [spelling, value] of Object.entries(given)) {
    const name = OTHER_SPELLINGS[spelling] ?? spelling
    switch (name) {
      case 'key':
      case 'startkey':
      case 'endkey':
        range[name] = from === 'address' ? parseKey(name, value) : value
        break
      case 'keys': {
        const keys = from === 'address' ? parseKey(name, value) : value
        if (!Array.isArray(keys))
          throw new CouchAnswer(400, 'bad_request', '`keys` body member must be an array.')
        range.keys = keys
        break
      }
      case 'startkey_docid':
      case 'endkey_docid':
        if (typeof value === 'string') range[name] = value
        break
      case 'limit':
      case 'skip':
      case 'group_level':
        setDefined(range, name, wholeNumber(name, value))
        break
      case 'inclusive_end':
      case 'descending':
      case 'include_docs':
      case 'conflicts':
      case 'reduce':
      case 'group':
      case 'update_seq':
        setDefined(range, name, flag(name, value))
        break
      case 'update': {
        const text = String(value)
        if (text !== 'true' && text !== 'false' && text !== 'lazy') {
          throw new CouchAnswer(400, 'query_parse_error', 'Invalid value for `update`.')
        }
        range.update = text
        break
      }
      default:
    }
  }
  if (range.keys && (range.key !== undefined || range.startkey !== undefined || range.endkey !== undefined)) {
    throw new CouchAnswer(
      400,
      'query_parse_error',
      '`keys` is incompatible with `key`, `start_key` and `end_key`',
    )
  }
  return range
}

function setDefined<Name extends keyof Range>(range: Range, name: Name, value: Range[Name]): void {
  if (value !== undefined) range[name] = value
}

function parseKey(name: string, value: unknown): unknown {
  try {
    return JSON.parse(String(value))
  } catch {
    throw new CouchAnswer(400, 'query_parse_error', `Invalid JSON value for ${name}`)
  }
}
