import test from 'ava'
import type { ExecutionContext } from 'ava'
import { outrun } from '../../src/accounts/account.ts'
import { People, PEOPLE_DATABASE } from '../../src/accounts/people.ts'
import { deployDesignDoc } from '../../src/couch/design-docs.ts'
import { HybridClock } from '../../src/ledger/clock.ts'
import { startStore } from '../helpers/store.ts'

async function startPeople(t: ExecutionContext): Promise<People> {
  const { couch } = await startStore(t)
  const database = await couch.ensureDatabase(PEOPLE_DATABASE)
  return new People(database, await deployDesignDoc(database), new HybridClock())
}

/** What two nodes that share their people end with. */
async function exchange(a: People, b: People): Promise<void> {
  for (const [from, to] of [
    [a, b],
    [b, a],
  ] as const)
    for (const state of await from.states()) await to.merge(state)
}

test('a handle that two nodes gave out at once is the older account’s; the younger one gets another', async (t) => {
  const [here, there] = [await startPeople(t), await startPeople(t)]
  const older = await here.create('ada', { password: 'x' })
  const younger = await there.create('ada', { password: 'y' })
  const third = await there.create('bob', { password: 'z' })
  await exchange(here, there)
  for (const people of [here, there]) {
    t.is((await people.byHandle('ada'))?.id, older.id)
    t.deepEqual([...outrun(await people.all())], [younger.id])
  }
  await here.change(younger.id, { handle: 'ada2' })
  await exchange(here, there)
  for (const people of [here, there]) {
    t.is((await people.byHandle('ada'))?.id, older.id)
    t.is((await people.byHandle('ada2'))?.id, younger.id)
    t.is((await people.byHandle('bob'))?.id, third.id)
    t.is(outrun(await people.all()).size, 0)
  }
})

test('a handle whose older account is closed is the younger one’s', async (t) => {
  const [here, there] = [await startPeople(t), await startPeople(t)]
  const older = await here.create('ada', {})
  const younger = await there.create('ada', {})
  await exchange(here, there)
  await here.change(older.id, { closed: true })
  t.is(outrun(await here.all()).size, 0)
  t.is((await here.byHandle('ada'))?.id, younger.id)
})

test('an account joins so many groups and no more, and leaving one makes room for another', async (t) => {
  const people = await startPeople(t)
  const { id } = await people.create('ada', {})
  const groups = Array.from({ length: 200 }, (_, number) => String(number).padStart(26, '0'))
  await people.change(id, Object.fromEntries(groups.map((group) => [`group:${group}`, true])))
  t.false(await people.joinGroup(id, '1'.repeat(26)))
  await people.change(id, { [`group:${groups[0] ?? ''}`]: false })
  t.true(await people.joinGroup(id, '1'.repeat(26)))
  t.false(await people.joinGroup(id, groups[0] ?? ''))
  t.deepEqual(await people.membersOf(groups[0] ?? ''), [])
})
