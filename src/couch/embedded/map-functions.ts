import { createContext, runInContext } from 'node:vm'
import { orderedValue } from './key-order.ts'

/** A view by its name in the design document, and the source of its map function. */
export interface MapView {
  readonly name: string
  readonly map: string
}

/** What one call of `emit` gave: which view's function called it, the key as it sorts, and both as JSON. */
export interface Emitted {
  readonly view: number
  readonly ordered: string
  readonly key: string
  readonly value: string
}

type MapFunction = (document: object) => void

/**
 * The map functions of one design document, compiled once, in one context that stays. They see the same document one
 * after the other, and can trust each other, as in CouchDB.
 */
export class MapFunctions {
  readonly #functions: MapFunction[]
  readonly #onThrow: (view: number, error: unknown) => void
  #view = 0
  #emitted: Emitted[] = []

  /** @param onThrow called for each document whose rows of a view are lost because the view's function threw */
  constructor(views: readonly MapView[], onThrow: (view: number, error: unknown) => void) {
    this.#onThrow = onThrow
    // What CouchDB offers to map functions.
    const context = createContext({
      emit: (key: unknown, value: unknown) => this.#emit(key, value),
      log: () => undefined,
      isArray: Array.isArray,
      toJSON: JSON.stringify,
      sum: (numbers: number[]) => numbers.reduce((sum, number) => sum + number, 0),
    })
    this.#functions = views.map(({ map }) => compile(map, context))
  }

  /** All rows of a document, view by view, in the order in which they were emitted. */
  run(document: object): Emitted[] {
    const rows: Emitted[] = []
    this.#emitted = rows
    for (const [view, map] of this.#functions.entries()) {
      const before = rows.length
      this.#view = view
      try {
        map(document)
      } catch (error) {
        rows.length = before
        this.#onThrow(view, error)
      }
    }
    // What is emitted later, by a function that kept `emit`, belongs to no document.
    this.#emitted = []
    return rows
  }

  #emit(key: unknown, value: unknown): void {
    const keyText = textOf(key)
    // Read back, because what sorts is what JSON makes of it: a Date is a string, and nothing of undefined remains.
    const plain = typeof key === 'object' && key !== null ? (JSON.parse(keyText) as unknown) : key
    const ordered = keyText === 'null' ? orderedValue(null) : orderedValue(plain)
    this.#emitted.push({ view: this.#view, ordered, key: keyText, value: textOf(value) })
  }
}

/** JSON, with null for what JSON cannot hold. */
function textOf(value: unknown): string {
  return JSON.stringify(value) ?? 'null'
}

/** One that does not parse throws for every document: a design document that was replicated is not refused for it. */
function compile(source: string, context: object): MapFunction {
  try {
    const map: unknown = runInContext(`"use strict"; (${source.replace(/;\s*$/, '')}\n)`, context)
    if (typeof map === 'function') return map as MapFunction
    throw new TypeError('a map function is not a function')
  } catch (error) {
    return () => {
      throw error
    }
  }
}
