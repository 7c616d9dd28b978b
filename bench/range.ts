import { randomBytes } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { publishWithFiles } from '../test/helpers/files-of-items.ts'
import { NodeHere } from '../test/helpers/node-here.ts'
import { atLeast, median, plain } from './figure.ts'
import type { Benchmark, Figure } from './figure.ts'
import { benchFolder, benchNode } from './nodes.ts'
import { load, nginxServer } from './servers.ts'

const { HYPERACTIVE_BENCH_ROUNDS: given = '7' } = process.env
const ROUNDS = Number(given)
const SECONDS = 3
const FILE_BYTES = 256 * 1024 * 1024
const PARTS = { '1 MiB': 1024 * 1024, '64 KiB': 64 * 1024 }

export const range: Benchmark = {
  name: 'range',
  about: `parts of one file of 256 MiB at random places, as ratios of medians of ${ROUNDS} interleaved rounds of ${SECONDS} s of wrk, one server at a time`,
  async run() {
    await using folder = await benchFolder()
    await using node = benchNode(folder.path, 'node')
    const sha256 = await publishFilm(join(folder.path, 'node'))
    await node.start()
    const place = join(node.data, 'media', 'whole', sha256.slice(0, 2), sha256.slice(2, 4))
    const film = `root ${place}; default_type video/mp4; try_files /${sha256} =404;`
    await using nginx = await nginxServer(join(folder.path, 'nginx'), film)
    const address = `/files/${sha256}.mp4`
    const targets = { ours: node.address + address, nginx: nginx.address + address }
    const figures: Figure[] = []
    for (const [name, bytes] of Object.entries(PARTS)) {
      const script = join(folder.path, `${bytes}.lua`)
      await writeFile(script, askingFor(bytes))
      const rates: Record<keyof typeof targets, number[]> = { ours: [], nginx: [] }
      for (let round = 0; round < ROUNDS; round += 1) {
        rates.ours.push(await load(targets.ours, SECONDS, script))
        rates.nginx.push(await load(targets.nginx, SECONDS, script))
      }
      const ours = median(rates.ours)
      figures.push(
        plain('range', (ours * bytes) / 1024 ** 2, 'MiB/s', `ours, ${name} each`),
        atLeast(
          'range',
          ours / median(rates.nginx),
          'times',
          0.5,
          `ours to nginx with sendfile, ${name} each`,
        ),
      )
    }
    return figures
  },
}

/** Publishes a film of random bytes on a node in this process, which ends before it is measured. */
async function publishFilm(folder: string): Promise<string> {
  const node = new NodeHere(folder, { HYPERACTIVE_LOG: 'error', HYPERACTIVE_ABUSE_LIMITS: 'off' })
  await mkdir(node.data, { recursive: true })
  await node.writeConfig('')
  await node.start()
  const bytes = randomBytes(FILE_BYTES)
  const film = { bytes, type: 'video/mp4', extension: 'mp4', durationMs: 60_000 }
  const { files } = await publishWithFiles(node, [film], { kind: 'video' })
  await node.stop()
  return files[0]?.sha256 ?? ''
}

/** A script for wrk whose requests each ask for so many bytes at a random place. */
function askingFor(bytes: number): string {
  return `math.randomseed(20261124)
request = function()
  local first = math.random(0, ${FILE_BYTES - bytes})
  wrk.headers["Range"] = string.format("bytes=%d-%d", first, first + ${bytes - 1})
  return wrk.format("GET")
end
`
}
