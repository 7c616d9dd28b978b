import { createContext, runInContext } from 'node:vm'
import createAbstractMapReduce from 'pouchdb-abstract-mapreduce'
import type { Emit } from 'pouchdb-abstract-mapreduce'

const MOST_COMPILED = 100

type Compiled = (emit: Emit, document: object) => void

const compiled = new Map<string, Compiled>()

/**
 * PouchDB's views, but with map functions that are compiled once, each in a context of its own. PouchDB's `query`
 * compiles a function anew, in a new context, for each document: 0.3 ms against 0.04 µs. It still serves the views
 * that have a reduce function; no view is in the care of both.
 */
export const mapViews = createAbstractMapReduce(
  'mapviews',
  (source, emit) => {
    const map = compiled.get(source) ?? compile(source)
    return (document) => map(emit, document)
  },
  () => {
    throw new Error('a view with a reduce function is not served here')
  },
  () => undefined,
)

function compile(source: string): Compiled {
  // What CouchDB offers to map functions beside `emit`.
  const context = createContext({
    emit: undefined as Emit | undefined,
    log: () => undefined,
    isArray: Array.isArray,
    toJSON: JSON.stringify,
    sum: (numbers: number[]) => numbers.reduce((sum, number) => sum + number, 0),
  })
  const map = runInContext(`"use strict"; (${source.replace(/;\s*$/, '')})`, context) as (doc: object) => void
  const run: Compiled = (emit, document) => {
    context.emit = emit
    map(document)
  }
  const [oldest] = compiled.keys()
  if (compiled.size >= MOST_COMPILED && oldest !== undefined) compiled.delete(oldest)
  compiled.set(source, run)
  return run
}
