import { Secret, TOTP } from 'otpauth'
import type { Response } from 'undici'
import { formFields } from './forms.ts'
import type { TestNode } from './node.ts'
import { until } from './wait.ts'

export const PASSWORD = 'correct horse battery staple'

/** A browser without JavaScript, with its cookie. */
export class Visitor {
  readonly #node: TestNode
  cookie: string | undefined

  constructor(node: TestNode, cookie?: string) {
    this.#node = node
    this.cookie = cookie
  }

  async get(path: string): Promise<Response> {
    return this.#taking(await this.#node.page(path, { headers: this.#headers() }))
  }

  async html(path: string): Promise<string> {
    return (await this.get(path)).text()
  }

  /** Sends fields over those of a form on a page. */
  async send(page: string, fields: Record<string, string>, action = page): Promise<Response> {
    const form = formFields(await this.html(page))
    return this.post(action, { token: form.token ?? '', ...fields })
  }

  async post(path: string, fields: Record<string, string>): Promise<Response> {
    const headers = { ...this.#headers(), 'content-type': 'application/x-www-form-urlencoded' }
    const body = new URLSearchParams(fields).toString()
    return this.#taking(await this.#node.page(path, { method: 'POST', headers, body }))
  }

  #headers(): Record<string, string> {
    return this.cookie === undefined ? {} : { cookie: this.cookie }
  }

  #taking(response: Response): Response {
    const given = response.headers.get('set-cookie')
    if (given !== null) this.cookie = given.includes('Max-Age=0') ? undefined : given.split(';')[0]
    return response
  }
}

/** The code that a program for one-time codes shows; `ahead` is the one after it, which counts too. */
export function codeOf(secret: string, ahead = 0): string {
  const totp = new TOTP({ secret: Secret.fromBase32(secret.replaceAll(' ', '')) })
  return totp.generate({ timestamp: Date.now() + ahead * 30_000 })
}

/** Sets up one-time codes on the page of an account; gives the secret, the code that was used, and the recovery codes. */
export async function enrol(visitor: Visitor): Promise<{ secret: string; code: string; recovery: string[] }> {
  const secret = /<code dir="ltr">([A-Z2-7 ]+)<\/code>/.exec(await visitor.html('/account'))?.[1] ?? ''
  const code = codeOf(secret)
  const fields = { code, password: PASSWORD }
  const answer = await visitor.send('/account', fields, '/account/one-time-codes')
  const recovery = [...(await answer.text()).matchAll(/<li><code>([^<]+)<\/code>/g)].map(
    ([, one = '']) => one,
  )
  return { secret, code, recovery }
}

/** The first administrator of a node, by the link that it printed, with a second factor. */
export async function setUp(node: TestNode, handle = 'root'): Promise<Visitor> {
  const link = await until(
    'the node prints its set-up link',
    () => /set up {3}http:\/\/[^/]+(\/\S+)/.exec(node.output)?.[1],
  )
  const visitor = new Visitor(node)
  const answer = await visitor.send(link, { handle, name: '', email: '', password: PASSWORD })
  if (answer.status !== 303) throw new Error(`the set-up answered ${answer.status}: ${await answer.text()}`)
  await enrol(visitor)
  return visitor
}

/** Somebody with these roles, whom an administrator has invited; with a second factor unless told otherwise. */
export async function invite(
  node: TestNode,
  administrator: Visitor,
  handle: string,
  { roles = [], second = true }: { roles?: readonly string[]; second?: boolean } = {},
): Promise<Visitor> {
  const boxes = Object.fromEntries(roles.map((role) => [`role-${role}`, 'yes']))
  const made = await administrator.send('/office/people', boxes, '/office/people/invite')
  const link = /class="link">http:\/\/[^/]+(\/[^<]+)</.exec(await made.text())?.[1] ?? ''
  const visitor = new Visitor(node)
  const answer = await visitor.send(link, { handle, name: '', email: '', password: PASSWORD })
  if (answer.status !== 303)
    throw new Error(`the invitation answered ${answer.status}: ${await answer.text()}`)
  if (second) await enrol(visitor)
  return visitor
}
