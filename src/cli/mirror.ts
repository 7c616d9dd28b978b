import { Command } from 'commander'
import type { LoadedConfig } from '../config/config.ts'
import type { Mirror } from '../config/mirrors.ts'
import { findRunningNode } from '../config/data-folder.ts'
import { HyperactiveError, messageOf } from '../errors.ts'
import { MirrorAtOnce, producedSite } from '../mirrors/at-once.ts'
import { describeMirror, mirrorStatus } from '../mirrors/status.ts'
import type { Verification } from '../mirrors/verify.ts'
import { print, settingsOf, withExamples, withSettings } from './context.ts'

const SHOWN = 20

/** `hyperactive mirror …`: the commands work beside a running node. */
export function mirrorCommand(): Command {
  return new Command('mirror')
    .description('the folders and servers that this node copies its site to')
    .addCommand(listCommand())
    .addCommand(verifyCommand())
    .addCommand(syncCommand())
}

function listCommand(): Command {
  const command = withSettings(new Command('list'))
    .description('the mirrors, when each was last brought up to date, and how many files it is behind')
    .option('--json', 'print JSON')
    .action(async (options: { json?: boolean }) => {
      const { config } = settingsOf(command)
      const running = (await findRunningNode(config.data)) !== undefined
      const mirrors = mirrorStatus(config, running)
      const text = mirrors.map(describeMirror).join('\n')
      print(options.json, { running, mirrors }, text || 'no mirrors; docs/mirrors.md says how to set one up')
    })
  return withExamples(command, 'mirror list', 'mirror list --json')
}

function verifyCommand(): Command {
  const command = withSettings(new Command('verify'))
    .description(
      'compare every file of a mirror, or of all, with what was sent there; exit code 1 when files are missing, wrong or left over',
    )
    .argument('[name]', 'one mirror only')
    .option('--repair', 'send what is missing or wrong, remove what is left over; leave what is not ours')
    .option('--json', 'print JSON')
    .action(async (name: string | undefined, options: { repair?: boolean; json?: boolean }) => {
      await forEachMirror(settingsOf(command), name, options.json, async (mirror) => {
        let found = await mirror.verify()
        const repaired = options.repair === true && isBad(found)
        if (repaired) {
          await mirror.repair(found)
          found = await mirror.verify()
        }
        if (isBad(found)) process.exitCode = 1
        return [{ ...found, foreign: found.foreign ?? null, repaired }, describe(found, repaired)]
      })
    })
  return withExamples(command, 'mirror verify', 'mirror verify athens --repair')
}

function syncCommand(): Command {
  const command = withSettings(new Command('sync'))
    .description('bring a mirror, or all, up to date once, now')
    .argument('[name]', 'one mirror only')
    .option('--json', 'print JSON')
    .action(async (name: string | undefined, options: { json?: boolean }) => {
      await forEachMirror(settingsOf(command), name, options.json, async (mirror) => {
        const { files, refused, refusal } = await mirror.sync()
        if (refused > 0) process.exitCode = 1
        const text = `up to date, ${files} files${refused > 0 ? `, ${refused} refused: ${refusal ?? ''}` : ''}`
        return [{ files, refused, refusal: refusal ?? null }, text]
      })
    })
  return withExamples(command, 'mirror sync', 'mirror sync athens')
}

/** Does something with each mirror, whatever happens to the others. */
async function forEachMirror(
  loaded: LoadedConfig,
  name: string | undefined,
  json: boolean | undefined,
  act: (mirror: MirrorAtOnce) => Promise<[facts: object, text: string]>,
): Promise<void> {
  const mirrors = chosen(loaded.config.mirrors, name)
  const site = await producedSite(loaded.config.data)
  const results: object[] = []
  const lines: string[] = []
  for (const mirror of mirrors) {
    try {
      await using atOnce = new MirrorAtOnce(loaded, mirror, site)
      const [facts, text] = await act(atOnce)
      results.push({ name: mirror.name, ...facts })
      lines.push(`${mirror.name}  ${text}`)
    } catch (error) {
      process.exitCode = 1
      const code = error instanceof HyperactiveError ? error.code : null
      results.push({ name: mirror.name, error: messageOf(error), code })
      lines.push(`${mirror.name}  failed: ${messageOf(error)}`)
    }
  }
  print(json, { mirrors: results }, lines.join('\n') || 'no mirrors')
}

function chosen(mirrors: readonly Mirror[], name: string | undefined): readonly Mirror[] {
  const found = mirrors.filter((mirror) => name === undefined || mirror.name === name)
  if (name === undefined || found.length > 0) return found
  const text = `there is no mirror "${name}" in the settings; \`hyperactive mirror list\` shows them`
  throw new HyperactiveError('unknown_mirror', text, { status: 404 })
}

function isBad({ missing, wrong, left }: Verification): boolean {
  return missing.length + wrong.length + left.length > 0
}

function describe(found: Verification, repaired: boolean): string {
  const { files, missing, wrong, left, foreign, behind } = found
  return [
    `${isBad(found) ? 'not as it should be' : 'as it should be'}${repaired ? ', after repair' : ''}, ${files} files compared`,
    ...(behind > 0 ? [`  behind    ${behind} (still to be sent)`] : []),
    ...part('missing', missing),
    ...part('wrong', wrong),
    ...part('left over', left),
    ...(foreign === undefined
      ? ['  foreign   this target does not list its files']
      : part('foreign', foreign)),
  ].join('\n')
}

function part(what: string, paths: readonly string[]): string[] {
  const more = paths.length - SHOWN
  return [
    `  ${what.padEnd(10)}${paths.length}`,
    ...paths.slice(0, SHOWN).map((path) => `    ${JSON.stringify(path)}`),
    ...(more > 0 ? [`    and ${more} more; --json lists them all`] : []),
  ]
}
