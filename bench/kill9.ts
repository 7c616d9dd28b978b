import { setTimeout as pause } from 'node:timers/promises'
import { publish } from '../test/helpers/forms.ts'
import type { Published } from '../test/helpers/forms.ts'
import { Random } from '../test/helpers/random.ts'
import { atMost, plain } from './figure.ts'
import type { Benchmark } from './figure.ts'
import { benchFolder, benchNode } from './nodes.ts'

const ROUNDS = 100
const WRITERS = 4

export const kill9: Benchmark = {
  name: 'kill9',
  about: `a node is killed ${ROUNDS} times while ${WRITERS} people publish: acknowledged articles that are missing at the end`,
  async run() {
    await using folder = await benchFolder()
    await using node = benchNode(folder.path, 'node')
    const random = new Random(9)
    const acknowledged: Published[] = []
    for (let round = 0; round < ROUNDS; round += 1) {
      await node.start()
      const writer = async (number: number) => {
        // It writes until the node does not answer any more.
        for (let index = 0; ; index += 1)
          acknowledged.push(await publish(node, { title: `Round ${round}, ${number}, ${index}` }))
      }
      const writers = Array.from({ length: WRITERS }, (_, number) => writer(number).catch(() => undefined))
      await pause(100 + random.int(0, 900))
      await node.kill()
      await Promise.all(writers)
    }
    await node.start()
    let lost = 0
    const documents = await node.siteDocuments()
    for (const { item } of acknowledged) if (!(item in documents)) lost += 1
    return [
      plain('kill9', acknowledged.length, 'articles', 'acknowledged'),
      atMost('kill9', lost, 'articles', 0, 'lost'),
    ]
  },
}
