/** One file of a produced site. */
export interface ProducedFile {
  /** SHA-256 of its bytes, hexadecimal. */
  sha256: string
  bytes: number
}

/** A complete static site in a folder, as those see it who copy it elsewhere. */
export interface ProducedSite {
  readonly folder: string
  /** By path relative to the folder, with slashes, such as "newswire/index.html". */
  readonly files: ReadonlyMap<string, ProducedFile>
  /** Calls back when files were written or removed (their paths; what was hidden first); gives what ends it. */
  onChanged(told: (paths: readonly string[]) => void): () => void
}
