import { GATEWAY_PATH } from '../../gateway/path.ts'

/** Where a peer's gateway answers about files. */
export const FILES_PATH = '/files'
/** The same under a node's address. */
export const FILES_URL = `${GATEWAY_PATH}${FILES_PATH}`

/** The nodes that a piece is asked for, by their keys, with commas between. */
export const VIA_HEADER = 'hyperactive-via'
/** With an answer to what was asked of a peer that calls: the status that it would have had. */
export const STATUS_HEADER = 'hyperactive-status'

/** A question goes on over so many nodes at most. */
export const MOST_VIA = 5
/** So many files are asked about at once. */
export const MOST_CONFIRMED = 200
