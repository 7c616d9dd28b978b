import { join } from 'node:path'
import type { Config, LoadedConfig } from './config/config.ts'
import { openBlobs } from './media/blobs/open.ts'
import type { BlobDriver } from './media/blobs/driver.ts'
import { Cleaner } from './media/clean/cleaner.ts'
import { findTools } from './media/clean/tools.ts'
import { Derivations } from './media/derive/derivations.ts'
import type { DerivationsOptions } from './media/derive/derivations.ts'
import { derivationsState, derivationsStatePath } from './media/derive/state.ts'
import { FileBook } from './media/keep/book.ts'
import type { FilesDesk } from './media/keep/desk.ts'
import { diskOf } from './media/keep/desk.ts'
import { Hands } from './media/keep/hand.ts'
import { Keeper } from './media/keep/keeper.ts'
import { ServedFiles } from './media/served-files.ts'
import { BlobNetwork } from './media/share/blob-network.ts'
import type { BlobNetworkOptions } from './media/share/blob-network.ts'
import { mediaStatePath } from './media/share/state.ts'
import { Uploads } from './media/uploads/uploads.ts'
import type { Site } from './project/site.ts'
import { StateFile } from './state-file.ts'
import type { Store } from './store.ts'

/** A node's files: where they are kept, what makes them fit for it, and which of them readers get. */
export interface MediaOfNode extends AsyncDisposable {
  readonly blobs: BlobDriver
  readonly cleaner: Cleaner
  readonly served: ServedFiles
  /** What the other nodes hold, and the way there. */
  readonly network: BlobNetwork
  /** What comes with forms; a mirror has none. */
  readonly uploads: Uploads | undefined
  /** What makes smaller pictures, films and sound of them; nothing on a mirror, and where it is switched off. */
  readonly derivations: Derivations | undefined
  /** Who has files in hand beside the store. */
  readonly hands: Hands
  /** Knows what files use and removes what nothing names; to be started. */
  readonly keeper: Keeper
  readonly desk: FilesDesk
}

export interface MediaOptions extends Pick<
  BlobNetworkOptions,
  'membership' | 'refusals' | 'times' | 'signal'
> {
  /** Told when files are to go, unless something names them. */
  onLeaving: () => void
}

/** How often a node writes down how its files are. */
const STATE_EVERY_MS = 5000

/** @throws HyperactiveError `blob_store_unusable`, `blob_store_unreachable` */
export async function openMedia(
  { config, secrets }: LoadedConfig,
  { couch, ledger, key }: Pick<Store, 'couch' | 'ledger' | 'key'>,
  site: Site,
  { onLeaving, ...ofNetwork }: MediaOptions,
): Promise<MediaOfNode> {
  await using stack = new AsyncDisposableStack()
  const { data, media, mirror } = config
  const blobs = stack.use(await openBlobs(media.store, secrets.media ?? {}, { data, couch }))
  const tools = await findTools(media.tools)
  const cleaner = await Cleaner.open({ folder: join(data, 'media-cleaning'), tools })
  const book = stack.use(FileBook.open(data))
  const served = new ServedFiles(site)
  const isPublic = async (sha256: string) => (await served.find(sha256))?.isShown === true
  const network = stack.use(
    new BlobNetwork({ ...ofNetwork, config, driver: blobs, ledger, key, site, isPublic }),
  )
  const uploads = mirror
    ? undefined
    : stack.use(
        await Uploads.open({
          folder: join(data, 'uploads'),
          blobs,
          removeBlob: (sha256) => network.forget(sha256),
          cleaner,
          settings: media.uploads,
          secret: key.derive('uploads'),
        }),
      )
  stack.use(new StateFile(mediaStatePath(data), () => network.state, STATE_EVERY_MS))
  const settings = media.derive
  const members = () => ofNetwork.membership().members
  const onLeft = (digests: readonly string[]) => {
    book.leave(digests)
    onLeaving()
  }
  const derivations =
    settings.on && !mirror
      ? await openDerivations(stack, { data, settings, tools, blobs, site, ledger, members, onLeft })
      : undefined
  const inHand = [uploads, derivations].filter((hand) => hand !== undefined)
  const hands = new Hands([{ letGo: (sha256) => network.forget(sha256) }, ...inHand])
  const keeper = stack.use(new Keeper({ blobs, site, ledger: ledger.database, book, hands }))
  const scarce = (limit: number) => network.underReplicated(limit)
  const opened = stack.move()
  return {
    blobs,
    cleaner,
    served,
    network,
    uploads,
    derivations,
    hands,
    keeper,
    desk: { keeper, tools, disk: diskFor(config), jobs: derivations && jobsOf(derivations), scarce },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

/** What it works on is written down for commands in other processes. */
async function openDerivations(
  stack: AsyncDisposableStack,
  options: DerivationsOptions,
): Promise<Derivations> {
  const path = derivationsStatePath(options.data)
  const state: StateFile = new StateFile(path, () => derivationsState(derivations))
  const derivations = await Derivations.open({ ...options, onChange: () => state.write() })
  stack.use(derivations)
  stack.use(state)
  state.write()
  return derivations
}

function jobsOf(derivations: Derivations): FilesDesk['jobs'] {
  return {
    failed: (limit) =>
      derivations
        .list({ states: ['failed'], limit })
        .map(({ id, sha256, item, reason = '' }) => ({ id, sha256, item, reason })),
    retry: (id) => derivations.retry(id),
  }
}

/** Where files are in a folder, the room that its disk has. */
function diskFor({ data, media }: Config): FilesDesk['disk'] {
  const { store } = media
  return store.kind === 'folder' ? () => diskOf(store.folder ?? join(data, 'media')) : undefined
}
