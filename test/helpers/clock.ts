import type { ExecutionContext } from 'ava'

/**
 * Sets this process's wall clock, for everything in it; timers are left alone. It is right again when the test ends, so
 * only tests that run one after the other may use it.
 */
export function setClock(t: ExecutionContext, toMs: () => number): void {
  const RealDate = globalThis.Date
  t.teardown(() => {
    globalThis.Date = RealDate
  })
  globalThis.Date = new Proxy(RealDate, {
    construct: (target, args: unknown[], newTarget) =>
      Reflect.construct(target, args.length === 0 ? [toMs()] : args, newTarget) as object,
    get: (target, name, receiver) =>
      name === 'now' ? toMs : (Reflect.get(target, name, receiver) as unknown),
  })
}
