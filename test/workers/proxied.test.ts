import test from 'ava'
import type { ExecutionContext } from 'ava'
import type { ProxiesOptions } from '../../src/proxies/proxies.ts'
import { startFronts } from '../helpers/fronts.ts'
import type { Slowness } from '../helpers/link.ts'
import { listener, proxiesOf } from '../helpers/told.ts'
import { until } from '../helpers/wait.ts'

async function read(address: string, name: string): Promise<string> {
  return (await fetch(`${address}/numbers/${name}`)).text()
}

/** A node with a front and a proxy that is told addresses. */
async function startProxied(t: ExecutionContext, options: ProxiesOptions, slow: Slowness = {}) {
  const { asked, port } = await listener(t)
  const started = await startFronts(t, 1, {
    slow,
    outside: async (back) => {
      const yaml = `proxies: [{ url: 'http://127.0.0.1:${port}', method: PURGE }]`
      const { proxies } = await proxiesOf(t, yaml, { fronts: back, ...options })
      await proxies.start()
      return proxies
    },
  })
  const purged = (name: string) => asked.filter(({ line }) => line === `PURGE /numbers/${name}`).length
  const write = (name: string) => started.kept.changed({ documents: [name], rows: [], names: [] })
  const [front = ''] = started.fronts
  return { ...started, front, purged, write }
}

test('a page that is made anew while fronts still hear of a change is purged by the next one', async (t) => {
  const { address, write, purged } = await startProxied(t, {}, { delayMs: 200 })
  await read(address, 'one')
  write('one')
  t.is(purged('one'), 0, 'the front could still give it out as it was')
  await read(address, 'one')
  await until('it is purged', () => purged('one') === 1)
  write('one')
  await until('it is purged for both changes', () => purged('one') >= 3)
})

test('a page whose address the node has forgotten is in no front any more', async (t) => {
  const { address, front, kept, write, purged } = await startProxied(t, { mostReads: 2 })
  await until('the front has a copy', async () => {
    await read(front, 'one')
    const { hits } = kept.counts
    await read(front, 'one')
    return kept.counts.hits === hits
  })
  await read(address, 'two')
  await until('the other one is forgotten and purged', () => purged('one') === 2)
  const { hits } = kept.counts
  t.is(await read(front, 'one'), '0')
  t.is(kept.counts.hits, hits + 1, 'the node answers, and knows of it')
  write('one')
  await until('it is purged again', () => purged('one') >= 3)
})
