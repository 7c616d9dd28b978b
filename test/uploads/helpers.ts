import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import sharp from 'sharp'
import type { Response } from 'undici'
import { FormData } from 'undici'
import { formFields } from '../helpers/forms.ts'
import type { Asked } from '../helpers/forms.ts'
import type { TestNode } from '../helpers/node.ts'
import { testFolder } from '../helpers/folder.ts'
import { PLACE, NAME, tell } from '../media/clean/fixtures.ts'

/** A file as an input of a form has it. */
export interface Chosen {
  name: string
  bytes: Uint8Array
  /** As the browser guesses it from the name. */
  type?: string
}

/** A picture whose metadata tells who took it and where. */
export async function tellingPhoto(t: ExecutionContext, name = 'photo.jpg', hue = 0): Promise<Chosen> {
  const folder = await testFolder(t)
  const colour = { r: 200, g: hue, b: 40 }
  await sharp({ create: { width: 640, height: 480, channels: 3, background: colour } })
    .jpeg()
    .toFile(join(folder, name))
  const { latitude, longitude } = PLACE
  await tell(folder, name, `-GPSLatitude=${latitude}`, `-GPSLongitude=${longitude}`, `-IFD0:Artist=${NAME}`)
  return { name, bytes: new Uint8Array(await readFile(join(folder, name))), type: 'image/jpeg' }
}

/** What stands before the value of an input, or the bytes of a file, in a form whose boundary is "b". */
export function partBefore(name: string, more = ''): string {
  return `--b\r\nContent-Disposition: form-data; name="${name}"${more}\r\n\r\n`
}

/** Sends a form with files as a browser without JavaScript does: inputs in their order, the token first. */
export function sendFiles(
  node: Asked,
  path: string,
  fields: Readonly<Record<string, string>>,
  files: readonly Chosen[],
): Promise<Response> {
  const body = new FormData()
  for (const [name, value] of Object.entries(fields)) body.append(name, value)
  for (const { name, bytes, type = '' } of files) body.append('files', new Blob([bytes], { type }), name)
  return node.page(path, { method: 'POST', body })
}

/** The form's fields as it was given out, with a title and a text. */
export async function openForm(node: Asked, kind = 'article'): Promise<Record<string, string>> {
  const { files: _, ...fields } = formFields(await node.html(`/publish/${kind}`))
  return { ...fields, title: 'With files', body: 'A text.', language: 'en' }
}

/** The files that a form shows, by their numbers: what each is known by. */
export function filesShown(html: string): string[] {
  const fields = formFields(html.replace(/<template>[\s\S]*?<\/template>/, ''))
  return Object.keys(fields)
    .filter((name) => /^file-\d+$/.test(name))
    .map((name) => fields[name] ?? '')
}

/** Everything that a form would send again. */
export function again(html: string): Record<string, string> {
  const { files: _, ...fields } = formFields(html.replace(/<template>[\s\S]*?<\/template>/, ''))
  return fields
}

/** Files of uploads that are on the node's disk, beside the list of them. */
export async function onDisk(node: Pick<TestNode, 'data'>): Promise<string[]> {
  const names = await readdir(join(node.data, 'uploads'))
  return names.filter((name) => !name.startsWith('uploads.sqlite'))
}

/** Blobs that a node's folder has. */
export async function blobsOnDisk(node: Pick<TestNode, 'data'>): Promise<string[]> {
  const names = await readdir(join(node.data, 'media'), { recursive: true }).catch(() => [])
  return names.filter((name) => /[0-9a-f]{64}$/.test(name))
}
