/** One measured figure. `met` is absent where there is no goal. */
export interface Figure {
  name: string
  value: number
  unit: string
  /** What tells figures of one benchmark apart. */
  of?: string
  goal?: string
  met?: boolean
}

/** A benchmark: what it measures, and how; it gives one figure or more of the same name. */
export interface Benchmark {
  name: string
  /** One line on what is measured, and from when to when. */
  about: string
  /** Whether it takes `HYPERACTIVE_TEST_COUCHDB_URLS`; without them it is left out, with a line. */
  needsCouchdb?: boolean
  run(): Promise<Figure[]>
}

export function atLeast(name: string, value: number, unit: string, least: number, of?: string): Figure {
  return { ...plain(name, value, unit, of), goal: `>= ${least}`, met: value >= least }
}

export function atMost(name: string, value: number, unit: string, most: number, of?: string): Figure {
  return { ...plain(name, value, unit, of), goal: `<= ${most}`, met: value <= most }
}

/** A figure without a goal. */
export function plain(name: string, value: number, unit: string, of?: string): Figure {
  return { name, value: round(value), unit, ...(of === undefined ? {} : { of }) }
}

/** The value that `share` (0 to 1) of the values do not exceed. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(Math.ceil(sorted.length * share), sorted.length) - 1] ?? 0
}

export function median(values: readonly number[]): number {
  return percentile(values, 0.5)
}

function round(value: number): number {
  const parts = value >= 100 ? 1 : value >= 10 ? 10 : 100
  return Math.round(value * parts) / parts
}
