/**
 * Loaded into a node before anything else (`--import`): shifts the wall clock that it sees. Timers are left alone, as
 * they are by a real clock that is wrong.
 */
import { ServerResponse } from 'node:http'

const skewMs = Number(process.env.HYPERACTIVE_TEST_CLOCK_SKEW_MS ?? 0)
const RealDate = Date

globalThis.Date = new Proxy(RealDate, {
  construct(target, args: unknown[], newTarget) {
    const given = args.length === 0 ? [RealDate.now() + skewMs] : args
    return Reflect.construct(target, given, newTarget) as object
  },
  get(target, name, receiver) {
    return name === 'now' ? () => RealDate.now() + skewMs : (Reflect.get(target, name, receiver) as unknown)
  },
})

// Node's server keeps a clock of its own for the header.
const prototype = ServerResponse.prototype as {
  writeHead: (this: ServerResponse, ...args: never) => ServerResponse
}
const { writeHead } = prototype
prototype.writeHead = function shifted(...args) {
  if (!this.hasHeader('date')) this.setHeader('Date', new Date().toUTCString())
  return writeHead.apply(this, args)
}
