import { Command } from 'commander'
import { HyperactiveError } from '../../errors.ts'
import type { BlobDriver } from '../../media/blobs/driver.ts'
import { scrub } from '../../media/blobs/scrub.ts'
import { openMediaForCommand } from '../../media-for-command.ts'
import { print, settingsOf, withExamples, withSettings } from '../context.ts'
import { progressBar } from '../progress.ts'
import { countOf, digestNamed, size } from './words.ts'

const SHOWN = 20

interface Report {
  files: number
  bytes: number
  damaged: string[]
  incomplete: number
}

/** `hyperactive media verify [file]` */
export function verifyCommand(): Command {
  const command = withSettings(new Command('verify'))
    .description(
      'read all files that are here, or one, and compare them with their digests; exit code 1 when one is damaged',
    )
    .argument('[file]', "a file's digest or address", digestNamed)
    .option('--json', 'print JSON')
    .action(async (file: string | undefined, options: { json?: boolean }) => {
      await using media = await openMediaForCommand(settingsOf(command))
      const report = await verify(file === undefined ? media.blobs : await only(media.blobs, file))
      if (report.damaged.length > 0) process.exitCode = 1
      print(options.json, report, describe(report))
    })
  return withExamples(
    command,
    'media verify',
    'media verify 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
  )
}

async function verify(blobs: Pick<BlobDriver, 'list' | 'stat' | 'readPiece'>): Promise<Report> {
  const report: Report = { files: 0, bytes: 0, damaged: [], incomplete: 0 }
  const bar = progressBar()
  try {
    for await (const { sha256, bytes, state } of scrub(blobs, { bytesPerSecond: Infinity })) {
      report.files += 1
      report.bytes += bytes
      if (state === 'damaged') report.damaged.push(sha256)
      if (state === 'incomplete') report.incomplete += 1
      bar.show(report.files, report.files, `files read, ${size(report.bytes)}`)
    }
  } finally {
    bar.end()
  }
  return report
}

/** A store that lists one file alone. */
async function only(
  blobs: BlobDriver,
  sha256: string,
): Promise<Pick<BlobDriver, 'list' | 'stat' | 'readPiece'>> {
  const manifest = await blobs.stat(sha256).catch((error: unknown) => {
    if (error instanceof HyperactiveError && error.code === 'blob_damaged') return { bytes: 0 }
    throw error
  })
  if (!manifest)
    throw new HyperactiveError('blob_missing', `the file ${sha256} is not here, or not all of it`, {
      status: 404,
    })
  return {
    list: () =>
      Promise.resolve({ blobs: [{ sha256, bytes: manifest.bytes, isWhole: true }], next: undefined }),
    stat: (name) => blobs.stat(name),
    readPiece: (...piece) => blobs.readPiece(...piece),
  }
}

function describe({ files, bytes, damaged, incomplete }: Report): string {
  const more = damaged.length - SHOWN
  return [
    `${countOf(files)} read, ${size(bytes)}: ${damaged.length === 0 ? 'all are what their names say' : `${damaged.length} damaged`}`,
    ...damaged.slice(0, SHOWN).map((sha256) => `  damaged  ${sha256}`),
    ...(more > 0 ? [`  and ${more} more; --json lists them all`] : []),
    ...(incomplete > 0 ? [`${incomplete} are not all here yet`] : []),
    ...(damaged.length > 0 ? ['`hyperactive media fetch <digest>` has one mended from a peer'] : []),
  ].join('\n')
}
