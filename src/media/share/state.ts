import { join } from 'node:path'
import { readState } from '../../state-file.ts'
import type { FileCounts, Lacking } from './files.ts'
import type { Damage, ScrubState } from './scrubber.ts'

/** How a peer is, as far as files are concerned. */
export interface PeerState {
  name: string
  /** Whether it answers, or calls. */
  isUp: boolean
  /** Bytes since the start. */
  in: number
  out: number
  problem?: string
}

/** How a node's files are. */
export interface NetworkState extends FileCounts {
  copies: number
  jurisdictions: number
  /** How many nodes are there besides. */
  nodes: number
  /** Under way: how many files, and how many pieces of them are missing. */
  fetching: number
  missingPieces: number
  /** Some of those that too few nodes hold. */
  lackingSome: Lacking[]
  damaged: Pick<Damage, 'sha256' | 'since' | 'problem'>[]
  scrub: ScrubState
  peers: PeerState[]
  problem?: string
}

/** Where a node writes down how its files are. */
export function mediaStatePath(data: string): string {
  return join(data, 'media.json')
}

/** How the files of the node of a data folder were when it last wrote that down. */
export function readMediaState(data: string): Promise<NetworkState | undefined> {
  return readState(mediaStatePath(data))
}

/** The same in lines for a terminal. */
export function describeMedia(state: NetworkState): string[] {
  const { files, held, heldBytes, lacking, copies, jurisdictions, fetching, missingPieces, damaged, peers } =
    state
  const wanted = `${copies} nodes${jurisdictions > 1 ? ` under ${jurisdictions} laws` : ''}`
  return [
    `files             ${held} of ${files} are here, ${size(heldBytes)}${fetching > 0 ? `; ${fetching} on their way (${missingPieces} pieces)` : ''}`,
    ...(lacking > 0 ? [`  too few copies: ${lacking} are not on ${wanted}`] : []),
    ...damaged.map(
      ({ sha256, problem }) => `  damaged: ${sha256}${problem === undefined ? '' : `: ${problem}`}`,
    ),
    ...(state.problem === undefined ? [] : [`  not as it should be: ${state.problem}`]),
    ...peers
      .filter(({ isUp, problem }) => !isUp || problem !== undefined)
      .map(
        ({ name, isUp, problem }) =>
          `  ${name} ${isUp ? 'answers' : 'does not answer'}${problem === undefined ? '' : `: ${problem}`}`,
      ),
  ]
}

function size(bytes: number): string {
  return bytes >= 1024 ** 3 ? `${(bytes / 1024 ** 3).toFixed(1)} GB` : `${(bytes / 1024 ** 2).toFixed(1)} MB`
}
