import { access, constants, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { runBounded } from './bounded.ts'

const LOOK_BOUNDS = { timeoutMs: 10_000, memoryBytes: 512 * 1024 * 1024, writtenBytes: 1024 * 1024 }

/** ffmpeg and the ffprobe beside it. */
export interface Ffmpeg {
  ffmpeg: string
  ffprobe: string
  version: string
}

export interface Qpdf {
  qpdf: string
  version: string
}

/** Programs that clean what this program cannot clean itself. Each may be missing. */
export interface Tools {
  ffmpeg?: Ffmpeg | undefined
  qpdf?: Qpdf | undefined
}

/** Where programs are; what is not given is looked for in `PATH`. */
export interface ToolPaths {
  ffmpeg?: string | undefined
  ffprobe?: string | undefined
  qpdf?: string | undefined
}

async function find(name: string): Promise<string | undefined> {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    if (folder === '') continue
    const path = join(folder, name)
    const found = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    )
    if (found) return path
  }
  return undefined
}

async function versionOf(path: string, flag: string, pattern: RegExp): Promise<string | undefined> {
  const folder = await mkdtemp(join(tmpdir(), 'hyperactive-look-'))
  try {
    const { code, output } = await runBounded(path, [flag], { folder, bounds: LOOK_BOUNDS })
    return code === 0 ? pattern.exec(output)?.[1] : undefined
  } catch {
    return undefined
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const found = new Map<string, Promise<Ffmpeg | undefined>>()

/** The ffmpeg that is there, or nothing. It is looked for once; a node that gets one later is started again. */
export function ffmpegAt(paths: Pick<ToolPaths, 'ffmpeg' | 'ffprobe'> = {}): Promise<Ffmpeg | undefined> {
  const key = JSON.stringify([paths.ffmpeg, paths.ffprobe])
  const known = found.get(key) ?? lookForFfmpeg(paths)
  found.set(key, known)
  return known
}

async function lookForFfmpeg(paths: Pick<ToolPaths, 'ffmpeg' | 'ffprobe'>): Promise<Ffmpeg | undefined> {
  const ffmpeg = paths.ffmpeg ?? (await find('ffmpeg'))
  const ffprobe = paths.ffprobe ?? (await find('ffprobe'))
  if (ffmpeg === undefined || ffprobe === undefined) return undefined
  const version = await versionOf(ffmpeg, '-version', /^ffmpeg version (\S+)/)
  const probes = await versionOf(ffprobe, '-version', /^ffprobe version (\S+)/)
  return version === undefined || probes === undefined ? undefined : { ffmpeg, ffprobe, version }
}

/** Looks for all programs. */
export async function findTools(paths: ToolPaths = {}): Promise<Tools> {
  const qpdf = paths.qpdf ?? (await find('qpdf'))
  const version = qpdf === undefined ? undefined : await versionOf(qpdf, '--version', /qpdf version (\S+)/)
  // Taking a document apart as JSON and putting it together again came with version 11.
  const isNew = version !== undefined && Number.parseInt(version, 10) >= 11
  return {
    ffmpeg: await ffmpegAt(paths),
    qpdf: qpdf !== undefined && isNew ? { qpdf, version } : undefined,
  }
}
