import { Command } from 'commander'
import { findRunningNode } from '../config/data-folder.ts'
import { describeDerivations, readDerivationsState } from '../media/derive/state.ts'
import { describePages, readPagesState } from '../pages/store/pages-state.ts'
import { readUsage } from '../media/keep/book.ts'
import { describeMedia, readMediaState } from '../media/share/state.ts'
import { heldDocuments } from '../project/held.ts'
import { SITE_DATABASE } from '../project/rebuild.ts'
import { mirrorStatus, describeMirror } from '../mirrors/status.ts'
import { readProxyStates } from '../proxies/proxies.ts'
import { readPeersStatus } from '../replication/status.ts'
import { openStoreForCommand } from '../store.ts'
import { describeUsage } from './media/words.ts'
import { print, settingsOf, withExamples, withSettings } from './context.ts'

const HELD_SHOWN = 20

/** `hyperactive status` */
export function statusCommand(): Command {
  const command = withSettings(new Command('status'))
    .description(
      'say how the node of this data folder is: whether it runs, what it holds, what it keeps off the pages',
    )
    .option('--json', 'print JSON')
    .action(async (options: { json?: boolean }) => {
      const loaded = settingsOf(command)
      const running = await findRunningNode(loaded.config.data)
      await using store = await openStoreForCommand(loaded)
      const siteDatabase = await store.couch.ensureDatabase(SITE_DATABASE)
      const [ledger, site] = [await store.ledger.count(), await siteDatabase.info()]
      const held = await heldDocuments(siteDatabase, HELD_SHOWN)
      const { links, refusals } = await readPeersStatus(store.ledger.database)
      const mirrors = mirrorStatus(loaded.config, running !== undefined)
      const proxies = running ? await readProxyStates(loaded.config.data) : []
      const media = running ? await readMediaState(loaded.config.data) : undefined
      const usage = readUsage(loaded.config.data)
      const pages = running ? await readPagesState(loaded.config.data) : undefined
      const derivations = running ? await readDerivationsState(loaded.config.data) : undefined
      const facts = {
        running: running !== undefined,
        mirror: loaded.config.mirror ?? null,
        address: running?.address ?? null,
        node: store.key.publicKey,
        ledgerDocuments: ledger.documents,
        siteDocuments: site.doc_count,
        held: held.map(({ document, reason, node }) => ({ document, reason, node })),
        links,
        proxies,
        pages: pages ?? null,
        media: media ?? null,
        files: usage ?? null,
        derivations: derivations ?? null,
        refusals,
        mirrors,
      }
      const lines = [
        running ? `running at ${running.address} (process ${running.processId})` : 'not running',
        ...(facts.mirror ? [`a mirror          people publish at ${facts.mirror.publishAt.join(', ')}`] : []),
        `node key          ${facts.node}`,
        `ledger documents  ${facts.ledgerDocuments}`,
        `site documents    ${facts.siteDocuments}`,
        `links             ${links.length} (\`hyperactive peer list\` shows them)`,
        ...(mirrors.length === 0 ? [] : [`mirrors           ${mirrors.length}`]),
        ...mirrors.map((mirror) => `  ${describeMirror(mirror)}`),
        ...(pages ? describePages(pages) : []),
        ...(media ? describeMedia(media) : []),
        ...describeUsage(usage, media === undefined),
        ...(derivations ? describeDerivations(derivations) : []),
        ...proxies.map(
          ({ url, method, state, since, reason }) =>
            `proxy             ${url} ${method} ${state} since ${since}${reason === undefined ? '' : `: ${reason}`}`,
        ),
        `held off pages    ${held.length === HELD_SHOWN ? `${HELD_SHOWN} or more` : held.length}`,
        ...held.map(({ document, reason }) => `  ${reason}  ${document}`),
        `refused           ${Object.keys(refusals.counts).length === 0 ? 'nothing' : 'since the node started'}`,
        ...Object.entries(refusals.counts).map(
          ([peer, { forbidden, too_busy: tooBusy }]) =>
            `  from ${peer}: ${forbidden} forbidden, ${tooBusy} to be tried again`,
        ),
        ...refusals.latest.map(({ at, caller, reason, id }) => `  ${at}  ${caller}  ${reason}  ${id}`),
      ]
      print(options.json, facts, lines.join('\n'))
    })
  return withExamples(command, 'status', 'status --json')
}
