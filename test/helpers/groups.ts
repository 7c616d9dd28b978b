import { formFields } from './forms.ts'
import type { Published } from './forms.ts'
import type { Visitor } from './people.ts'

type Fields = Readonly<Record<string, string>>

/** Sends a form to publish, as somebody who is signed in; gives where the answer leads. */
export async function publishAt(visitor: Visitor, page: string, fields: Fields): Promise<string> {
  const form = formFields(await visitor.html(page))
  const typed = { ...form, title: 'A title', body: 'A text.', language: 'en', ...fields, action: 'publish' }
  const answer = await visitor.post(page, typed)
  const location = answer.headers.get('location')
  if (location === null) throw new Error(`${page} answered ${answer.status}: ${await answer.text()}`)
  return location
}

/** Makes a group while signed in, which makes its first member. */
export async function makeGroup(visitor: Visitor, title: string, fields: Fields = {}): Promise<Published> {
  const location = await publishAt(visitor, '/publish/group', { title, summary: 'We.', ...fields })
  const [, path = '', item = '', secret = ''] = /^(\/groups\/([^/]+))\/published\/(.+)$/.exec(location) ?? []
  return { path, item, secret }
}
