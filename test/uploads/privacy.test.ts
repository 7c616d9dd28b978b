import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import test from 'ava'
import { startNode } from '../helpers/node.ts'
import { testFolder } from '../helpers/folder.ts'
import { until } from '../helpers/wait.ts'
import { film, NAME, PICTURE_IN, secretsIn, SOUND_IN, tell, told } from '../media/clean/fixtures.ts'
import { again, openForm, sendFiles, tellingPhoto } from './helpers.ts'

const execute = promisify(execFile)
const hasTools = existsSync('/usr/bin/exiftool') && existsSync('/usr/bin/ffmpeg')

async function filesBelow(folder: string): Promise<string[]> {
  const paths = (await readdir(folder, { recursive: true })).map((name) => join(folder, name))
  const are = await Promise.all(paths.map(async (path) => (await stat(path)).isFile()))
  return paths.filter((_, index) => are[index])
}

const withTools = hasTools ? test : test.skip
withTools(
  'after uploads by form exiftool and grep find no place and no name in any file of the node',
  async (t) => {
    const node = await startNode(t)
    const folder = await testFolder(t)
    const photo = await tellingPhoto(t)
    await film(
      folder,
      'film.mp4',
      ...PICTURE_IN,
      ...SOUND_IN,
      '-c:v',
      'mpeg4',
      '-c:a',
      'aac',
      '-metadata',
      `artist=${NAME}`,
    )
    await tell(folder, 'film.mp4')
    const filmBytes = new Uint8Array(await readFile(join(folder, 'film.mp4')))
    t.not(secretsIn(Buffer.from(photo.bytes)).length, 0, 'the originals tell')
    t.not(secretsIn(Buffer.from(filmBytes)).length, 0)
    const files = [photo, { name: 'film.mp4', bytes: filmBytes }]
    const added = await sendFiles(
      node,
      '/publish/photo',
      { ...(await openForm(node, 'photo')), action: 'add' },
      files,
    )
    const html = await added.text()
    t.is(added.status, 200, html)
    const published = await sendFiles(node, '/publish/photo', { ...again(html), action: 'publish' }, [])
    t.is(published.status, 303)
    // One that is refused, and one that is cut off by a stop of the node, leave nothing either.
    await sendFiles(node, '/publish/photo', { ...(await openForm(node, 'photo')), action: 'add' }, [
      { name: 'half.jpg', bytes: photo.bytes.subarray(0, photo.bytes.length - 900) },
    ])
    // What is made of them tells nothing either.
    await until('all is made of the files', async () => {
      const { derivations } = JSON.parse((await node.run('status', '--json')).out) as {
        derivations: Record<'done' | 'waiting' | 'working', number>
      }
      return derivations.done === 2 && derivations.waiting + derivations.working === 0
    })
    await node.stop()
    const paths = await filesBelow(node.data)
    t.true(paths.length > 5)
    for (const path of paths) t.deepEqual(secretsIn(await readFile(path)), [], path)
    const media = paths.filter((path) => /\/media\/.*[0-9a-f]{64}$/.test(path))
    t.true(media.length > 2)
    for (const path of media) {
      const tags = Object.keys(await told(path)).filter((tag) => /gps|artist|creator|city|comment/i.test(tag))
      t.deepEqual(tags, [], path)
    }
    const { stdout } = await execute('exiftool', [
      '-r',
      '-q',
      '-if',
      '$GPSPosition or $Artist or $Creator',
      '-p',
      '$FileName',
      node.data,
    ]).catch(({ stdout: out }: { stdout: string }) => ({ stdout: out }))
    t.is(stdout, '')
  },
)
