import { deployDesignDoc } from '../../src/couch/design-docs.ts'
import { Projector } from '../../src/project/projector.ts'
import { SITE_DATABASE } from '../../src/project/rebuild.ts'
import { Site } from '../../src/project/site.ts'
import { SearchIndex } from '../../src/search/search-index.ts'
import { policy } from './policy.ts'
import type { TestStore } from './store.ts'

/** A projector that has caught up with a store's ledger, and what reads its outcome. */
export async function project(
  test: TestStore,
  anchors: () => readonly string[] = () => [test.key.publicKey],
  ownPolicy = policy(test.key.publicKey),
) {
  const database = await test.couch.ensureDatabase(SITE_DATABASE)
  const deployment = await deployDesignDoc(database)
  const index = SearchIndex.open(':memory:')
  const projector = new Projector({
    ledger: test.ledger,
    site: database,
    deployment,
    index,
    policy: ownPolicy,
    anchors,
  })
  await projector.open()
  await projector.catchUp()
  const site = new Site(database, () => deployment.inForce())
  return { projector, database, site, index, [Symbol.asyncDispose]: () => projector[Symbol.asyncDispose]() }
}

/** Every document of the site database without what counts local writes. */
export async function siteDocuments(test: TestStore): Promise<object[]> {
  const { rows } = await test.couch.database(SITE_DATABASE).allDocs({ include_docs: true })
  return rows.filter(({ key }) => !key.startsWith('_')).map(({ doc }) => ({ ...doc, _rev: '' }))
}
