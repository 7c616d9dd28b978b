import { Access, ACCESS_DATABASE } from './accounts/access.ts'
import { People, PEOPLE_DATABASE } from './accounts/people.ts'
import { deployDesignDoc } from './couch/design-docs.ts'
import type { Store } from './store.ts'

/** The accounts of a node and who is signed in, in databases of their own. */
export async function openPeople(
  { couch, ledger }: Pick<Store, 'couch' | 'ledger'>,
  signal?: AbortSignal,
): Promise<{ people: People; access: Access }> {
  const { clock } = ledger
  const options = signal ? { signal } : {}
  const [people, access] = await Promise.all(
    [PEOPLE_DATABASE, ACCESS_DATABASE].map(async (name) => {
      const database = await couch.ensureDatabase(name)
      return { database, deployment: await deployDesignDoc(database, options) }
    }),
  )
  if (!people || !access) throw new Error('there are two databases')
  const accounts = new People(people.database, people.deployment, clock)
  return {
    people: accounts,
    access: new Access(access.database, { deployment: access.deployment, people: accounts, clock }),
  }
}

/** A node that nobody administers gives out one link to change that; each start makes the former one worthless. */
export async function setUpLink({
  people,
  access,
}: {
  people: People
  access: Access
}): Promise<string | undefined> {
  if (await people.hasAdministrator()) return undefined
  await access.forgetLinks('set-up')
  return access.makeLink({ purpose: 'set-up', roles: ['administrator'], groups: [] })
}
