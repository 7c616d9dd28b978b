/** PouchDB's order of what map functions emit. */
declare module 'pouchdb-collate' {
  export function collate(a: unknown, b: unknown): number
}
