/** PouchDB's views without a language for their functions. */
declare module 'pouchdb-abstract-mapreduce' {
  import type { PouchDatabase } from 'pouchdb-node'

  export type Emit = (key: unknown, value?: unknown) => void

  export interface MapReduce {
    query(
      this: PouchDatabase,
      ...given: Parameters<PouchDatabase['query']>
    ): ReturnType<PouchDatabase['query']>
    viewCleanup(this: PouchDatabase): Promise<object>
  }

  const createAbstractMapReduce: (
    /** Name of the local document that lists the views. */
    localName: string,
    mapper: (source: string, emit: Emit) => (document: object) => void,
    reducer: (source: string) => never,
    /** Throws when the design document has no such view. */
    checkDesign: (design: object, view: string) => void,
  ) => MapReduce
  export default createAbstractMapReduce
}
