/** Small things by name, as S3 and CouchDB keep them: at most a piece of a blob each. */
export interface Objects extends AsyncDisposable {
  /** How messages call it. */
  readonly name: string
  /** Writes one, also over another. Whoever reads it gets the old or the new bytes. */
  put(key: string, bytes: Uint8Array): Promise<void>
  /** Undefined when it is not there. */
  get(key: string, signal?: AbortSignal): Promise<Uint8Array | undefined>
  /** Those that are not there are no failure. */
  remove(keys: readonly string[]): Promise<void>
  /** Takes what was removed off the disk, where that takes more than removing it. */
  compact?(signal: AbortSignal): Promise<void>
  /** In the order of their keys: those that begin with `prefix` and come behind `after`, page by page. */
  list(range: { prefix?: string; after?: string }): AsyncIterable<ListedObject>
}

export interface ListedObject {
  key: string
  bytes: number
}
