/** Levels in rising order; HYPERACTIVE_LOG chooses the lowest one that is printed (default `info`). */
const LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const
type Level = (typeof LEVELS)[number]
type Facts = Record<string, string | number | boolean | undefined>

const chosen = LEVELS.indexOf((process.env.HYPERACTIVE_LOG ?? 'info') as Level)
const lowest = chosen === -1 ? LEVELS.indexOf('info') : chosen

function write(level: Level, part: string, message: string, facts: Facts = {}): void {
  if (LEVELS.indexOf(level) < lowest) return
  const tail = Object.entries(facts)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => ` ${name}=${typeof value === 'string' ? JSON.stringify(value) : String(value)}`)
    .join('')
  process.stderr.write(`${new Date().toISOString()} ${level} ${part}: ${message}${tail}\n`)
}

/**
 * A logger for one part of the program. It writes one line per event to standard error. Callers pass counts, codes
 * and names of nodes; never a request's address, URL, headers or form, so that no log can tell who read or wrote.
 */
export function logger(part: string) {
  return {
    debug: (message: string, facts?: Facts) => write('debug', part, message, facts),
    info: (message: string, facts?: Facts) => write('info', part, message, facts),
    warn: (message: string, facts?: Facts) => write('warn', part, message, facts),
    error: (message: string, facts?: Facts) => write('error', part, message, facts),
  }
}
