import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import test from 'ava'
import { startNode } from '../helpers/node.ts'
import { openForm } from './helpers.ts'
import { MIB, peakOf, publishSound } from './large-form.ts'

const SOUND_BYTES = 384 * MIB
const HEAP_MIB = 96

const withFfmpeg = existsSync('/usr/bin/ffmpeg') ? test : test.skip
withFfmpeg(
  'a file that is much larger than the heap goes through a form without being in memory',
  async (t) => {
    t.timeout(300_000)
    const node = await startNode(t, { NODE_OPTIONS: `--max-old-space-size=${HEAP_MIB}` })
    const fields = { ...(await openForm(node, 'audio')), action: 'publish' }
    const before = await peakOf(node.processId)
    const { status, location } = await publishSound(node, fields, SOUND_BYTES)
    t.is(status, 303)
    const grown = (await peakOf(node.processId)) - before
    t.log(`${Math.round(grown / MIB)} MiB more than before`)
    t.true(grown < 160 * MIB)
    const [, item = ''] = /^\/audio\/([^/]+)\/published/.exec(location) ?? []
    const answer = await node.page(`/api/v1/items/${item}`)
    const { fields: saved } = (await answer.json()) as { fields: { files: { file: string }[] } }
    const file = await node.page(`/files/${saved.files[0]?.file ?? ''}.wav`)
    const hash = createHash('sha256')
    let bytes = 0
    for await (const chunk of file.body ?? []) {
      hash.update(chunk as Uint8Array)
      bytes += (chunk as Uint8Array).length
    }
    t.is(hash.digest('hex'), saved.files[0]?.file ?? '')
    t.true(bytes >= SOUND_BYTES)
  },
)
