import { openForm } from '../test/uploads/helpers.ts'
import { MIB, peakOf, publishSound } from '../test/uploads/large-form.ts'
import { TestNode } from '../test/helpers/node.ts'
import { atMost, plain } from './figure.ts'
import type { Benchmark } from './figure.ts'
import { benchFolder } from './nodes.ts'

const BYTES = 2048 * MIB
const HEAP_MIB = 256

export const uploadLarge: Benchmark = {
  name: 'upload-2gib',
  about: `2 GiB of sound by a form until it is published, through a node with --max-old-space-size=${HEAP_MIB}: rate, and the node's largest memory`,
  async run() {
    await using folder = await benchFolder()
    const node = new TestNode(folder.path, {
      HYPERACTIVE_LOG: 'error',
      NODE_OPTIONS: `--max-old-space-size=${HEAP_MIB}`,
    })
    await using stack = new AsyncDisposableStack()
    stack.defer(() => node.remove())
    await node.start()
    const fields = { ...(await openForm(node, 'audio')), action: 'publish' }
    const begun = performance.now()
    const { status } = await publishSound(node, fields, BYTES)
    if (status !== 303) throw new Error(`publishing answered ${status}`)
    const seconds = (performance.now() - begun) / 1000
    return [
      plain('upload-2gib', BYTES / MIB / seconds, 'MiB/s', 'rate'),
      atMost('upload-2gib', (await peakOf(node.processId)) / MIB, 'MiB', 500, 'memory'),
    ]
  },
}
