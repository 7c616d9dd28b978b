import { join } from 'node:path'
import type { LoadedConfig } from './config/config.ts'
import { openBlobs } from './media/blobs/open.ts'
import type { BlobDriver } from './media/blobs/driver.ts'
import { Cleaner } from './media/clean/cleaner.ts'
import { findTools } from './media/clean/tools.ts'
import { Derivations } from './media/derive/derivations.ts'
import type { DerivationsOptions } from './media/derive/derivations.ts'
import { derivationsState, derivationsStatePath } from './media/derive/state.ts'
import { ServedFiles } from './media/served-files.ts'
import type { Site } from './project/site.ts'
import { StateFile } from './state-file.ts'
import type { Store } from './store.ts'

/** A node's files: where they are kept, what makes them fit for it, and which of them readers get. */
export interface MediaOfNode extends AsyncDisposable {
  readonly blobs: BlobDriver
  readonly cleaner: Cleaner
  readonly served: ServedFiles
  /** What makes smaller pictures, films and sound of them; nothing on a mirror, and where it is switched off. */
  readonly derivations: Derivations | undefined
}

/**
 * @param members the keys of the network's members
 * @throws HyperactiveError `blob_store_unusable`, `blob_store_unreachable`
 */
export async function openMedia(
  { config, secrets }: LoadedConfig,
  { couch, ledger }: Pick<Store, 'couch' | 'ledger'>,
  site: Site,
  members: () => readonly string[],
): Promise<MediaOfNode> {
  await using stack = new AsyncDisposableStack()
  const { data, media, mirror } = config
  const blobs = stack.use(await openBlobs(media.store, secrets.media ?? {}, { data, couch }))
  const tools = await findTools(media.tools)
  const cleaner = await Cleaner.open({ folder: join(data, 'media-cleaning'), tools })
  const settings = media.derive
  const isDeriving = settings.on && !mirror
  const derivations = isDeriving
    ? await openDerivations(stack, { data, settings, tools, blobs, site, ledger, members })
    : undefined
  const opened = stack.move()
  return {
    blobs,
    cleaner,
    served: new ServedFiles(site),
    derivations,
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
