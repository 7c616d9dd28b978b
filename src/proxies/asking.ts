import { EVERYTHING } from '../pages/store/surrogate-keys.ts'

/** How a proxy is told: `BAN` with keys of what changed, or `PURGE` of each page's own address. */
export type Method = 'BAN' | 'PURGE'

/** A request to a proxy. */
export interface Asking {
  method: Method
  path: string
  headers: Record<string, string>
  /** Statuses that say the page is not there any more. */
  taken: (status: number) => boolean
}

/** How much is told at once: many keys in one request, or so many requests side by side. */
export const TOLD_AT_ONCE: Readonly<Record<Method, number>> = { BAN: 100, PURGE: 8 }

/** The requests that tell a proxy of keys or pages. Pure. */
export function askingFor(method: Method, told: readonly string[], secret: string | undefined): Asking[] {
  const proof: Record<string, string> = secret === undefined ? {} : { 'purge-secret': secret }
  if (method === 'BAN') {
    const keys = told.includes(EVERYTHING) ? EVERYTHING : told.join(' ')
    const headers = { ...proof, 'surrogate-key': keys }
    return [{ method, path: '/', headers, taken: isSuccess }]
  }
  return told.map((page) => {
    const [host = '', language = '', path = '/'] = page.split(' ')
    const headers = {
      ...proof,
      ...(language === '' ? {} : { 'accept-language': language }),
      ...(host === '' ? {} : { host }),
    }
    // 404: the proxy does not have it.
    return { method, path, headers, taken: (status) => isSuccess(status) || status === 404 }
  })
}

function isSuccess(status: number): boolean {
  return status >= 200 && status < 300
}
