import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import { halves, PLACE, secretsIn, tell, tellsNothing, unzip } from './fixtures.ts'

export const W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
export const R = 'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
const RELATIONSHIP = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships'
export const XML = '<?xml version="1.0" encoding="UTF-8"?>'

/** A relationships file; a type without an address is one of ECMA-376. */
export function relationships(
  ...rows: [id: string, type: string, target: string, external?: boolean][]
): string {
  const written = rows.map(
    ([id, type, target, external]) =>
      `<Relationship Id="${id}" Type="${type.includes(':') ? type : `${RELATIONSHIP}/${type}`}" Target="${target}"${external ? ' TargetMode="External"' : ''}/>`,
  )
  return `${XML}<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">${written.join('')}</Relationships>`
}

/** The list of parts and their types. */
export function contentTypes(...parts: [name: string, type: string][]): string {
  const written = parts.map(
    ([name, type]) => `<Override PartName="/${name}" ContentType="application/${type}+xml"/>`,
  )
  return `${XML}<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Default Extension="jpeg" ContentType="image/jpeg"/>${written.join('')}</Types>`
}

export const OOXML = 'vnd.openxmlformats-officedocument'
/** A JPEG with a name and a place in it. */
export async function photo(folder: string): Promise<Buffer> {
  await halves().jpeg().toFile(join(folder, 'photo.jpg'))
  await tell(folder, 'photo.jpg', `-GPSLatitude=${PLACE.latitude}`, `-GPSLongitude=${PLACE.longitude}`)
  return readFile(join(folder, 'photo.jpg'))
}

/** Nothing of a person stands in any part, its pictures included. */
export async function partsTellNothing(t: ExecutionContext, folder: string, path: string) {
  const parts = unzip(await readFile(path))
  t.true(parts.size > 1)
  for (const [name, bytes] of parts) {
    t.deepEqual(secretsIn(Buffer.concat([Buffer.from(name), bytes])), [], name)
    if (!/\.jpe?g$/.test(name)) continue
    await writeFile(join(folder, 'part.jpg'), bytes)
    await tellsNothing(t, join(folder, 'part.jpg'))
  }
  return parts
}
