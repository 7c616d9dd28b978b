/** A list in pieces of at most so many, for requests of a bounded size. */
export function* inPieces<Value>(list: readonly Value[], most: number): Generator<readonly Value[]> {
  for (let start = 0; start < list.length; start += most) yield list.slice(start, start + most)
}
