import { request } from 'node:http'
import type { Response } from 'undici'
import type { TestNode } from './node.ts'

/** A node that pages and forms are asked of. */
export type Asked = Pick<TestNode, 'html' | 'page'>

/** What a published item is known by. */
export interface Published {
  item: string
  path: string
  secret: string
}

export type Fields = Readonly<Record<string, string>>

const DEFAULTS = { title: 'A title', author: '', summary: '', body: 'A text.', tags: '', language: 'en' }

/** Values of a page's hidden and visible form fields. */
export function formFields(html: string): Record<string, string> {
  const fields: Record<string, string> = {}
  for (const [, tag = ''] of html.matchAll(/<input ([^>]*)>/g)) {
    const name = /name="([^"]*)"/.exec(tag)?.[1]
    // A box that is not ticked is not sent.
    const isSent = !tag.includes('type="checkbox"') || / checked\b/.test(tag)
    if (name !== undefined && isSent) fields[name] = unescapeHtml(/value="([^"]*)"/.exec(tag)?.[1] ?? '')
  }
  for (const [, name = '', value = ''] of html.matchAll(
    /<textarea [^>]*name="([^"]*)"[^>]*>\n?([\s\S]*?)<\/textarea>/g,
  )) {
    fields[name] = unescapeHtml(value)
  }
  for (const [, name = '', options = ''] of html.matchAll(
    /<select [^>]*name="([^"]*)"[^>]*>([\s\S]*?)<\/select>/g,
  )) {
    const chosen =
      /<option value="([^"]*)" selected>/.exec(options) ?? /<option value="([^"]*)"/.exec(options)
    fields[name] = unescapeHtml(chosen?.[1] ?? '')
  }
  return fields
}

export function unescapeHtml(html: string): string {
  const named: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" }
  return html.replaceAll(/&(amp|lt|gt|quot|#39);/g, (_, name: string) => named[name] ?? '')
}

/** Sends a form as a browser without JavaScript does. */
export function send(node: Asked, path: string, fields: Record<string, string>): Promise<Response> {
  return node.page(path, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams(fields).toString(),
  })
}

/** Publishes by the form and gives what the page after it says. */
export async function publish(node: Asked, fields: Fields, kind = 'article'): Promise<Published> {
  const form = formFields(await node.html(`/publish/${kind}`))
  const typed = { ...form, ...DEFAULTS, ...fields, action: 'publish' }
  const response = await send(node, `/publish/${kind}`, typed)
  const location = response.headers.get('location') ?? ''
  const [, path, item, secret] = /^(\/[a-z]+\/([^/]+))\/published\/(.+)$/.exec(location) ?? []
  if (response.status !== 303 || !path || !item || !secret) {
    throw new Error(`publishing answered ${response.status}: ${(await response.text()).slice(0, 2000)}`)
  }
  return { item, path, secret }
}

/** Opens an article's edit form, as one person who will save it later. */
export async function openEdit(node: Asked, { path, secret }: Published): Promise<Record<string, string>> {
  const response = await node.page(`${path}/edit/${secret}`)
  if (response.status !== 200) throw new Error(`the edit form answered ${response.status}`)
  return formFields(await response.text())
}

/** Saves an edit form that was opened before. */
export async function saveEdit(
  node: Asked,
  { path, secret }: Published,
  opened: Record<string, string>,
  changes: Fields,
): Promise<Response> {
  const response = await send(node, `${path}/edit/${secret}`, { ...opened, ...changes, action: 'publish' })
  if (response.status !== 303)
    throw new Error(`saving answered ${response.status}: ${(await response.text()).slice(0, 2000)}`)
  return response
}

export async function edit(node: Asked, article: Published, changes: Fields): Promise<Response> {
  return saveEdit(node, article, await openEdit(node, article), changes)
}

/** Sends a body of some megabytes and gives the status, which may come before the node has read all of it. */
export function sendLarge(node: TestNode, path: string, type: string, bytes: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': type, 'content-length': bytes }
    const sending = request(node.address + path, { method: 'POST', headers }, (response) => {
      response.resume()
      resolve(response.statusCode ?? 0)
    })
    sending.on('error', reject)
    sending.end(Buffer.alloc(bytes, 'a'))
  })
}
