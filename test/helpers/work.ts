import { isWork } from '../../src/web/abuse/work.ts'

/** Does the work on a token, as a program would that publishes. */
export function prove(token: string, bits: number): string {
  for (let nonce = 0; ; nonce += 1) if (isWork(token, String(nonce), bits)) return String(nonce)
}
