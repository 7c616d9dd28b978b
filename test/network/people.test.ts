import { readFile } from 'node:fs/promises'
import type { ExecutionContext } from 'ava'
import test from 'ava'
import { accountProblem, readAccount } from '../../src/accounts/account.ts'
import type { Account, AccountDocument } from '../../src/accounts/account.ts'
import { publish } from '../helpers/forms.ts'
import { join2, startNode } from '../helpers/node.ts'
import type { TestNode } from '../helpers/node.ts'
import { codeOf, enrol, invite, PASSWORD, setUp, Visitor } from '../helpers/people.ts'
import { until } from '../helpers/wait.ts'

/** Says `people: true` of every peer. */
async function share(node: TestNode): Promise<void> {
  const yaml = await readFile(node.peers, 'utf8')
  await node.writePeers(yaml.replaceAll(/^( *)- name: (\S+)$/gm, '$1- name: $2\n$1  people: true'))
}

/** Two nodes that share their people, and what cuts and mends that. */
async function two(t: ExecutionContext) {
  const [here, there] = [await startNode(t), await startNode(t)]
  await join2(here, there)
  const mend = async () => {
    await share(here)
    await share(there)
  }
  const cut = async () => {
    for (const node of [here, there]) {
      const yaml = await readFile(node.peers, 'utf8')
      await node.writePeers(yaml.replaceAll(/^ *people: true\n/gm, ''))
    }
    await until(
      'neither gives the other its people',
      async () => (await asked(here, there)).status === 403 && (await asked(there, here)).status === 403,
    )
  }
  await mend()
  return { here, there, cut, mend }
}

/** The accounts that a running node has in its store. */
async function accountsOn(node: TestNode): Promise<Account[]> {
  return node.withCouch(async (couch) => {
    const range = { startkey: 'account:', endkey: 'account:\ufff0', include_docs: true }
    const { rows } = await couch.database('people').allDocs(range)
    return rows.flatMap(({ doc }) => (doc ? [readAccount(doc as unknown as AccountDocument)] : []))
  })
}

async function accountOn(node: TestNode, handle: string): Promise<Account> {
  return until(`${handle} is there`, async () =>
    (await accountsOn(node)).find((account) => account.handle === handle),
  )
}

async function administrators(node: TestNode): Promise<string[]> {
  const accounts = await accountsOn(node)
  return accounts.filter(({ roles }) => roles.includes('administrator')).map(({ handle }) => handle)
}

/** Gives an account these roles and takes all others, on the page of a node. */
async function setRoles(administrator: Visitor, id: string, roles: readonly string[]): Promise<number> {
  const boxes = Object.fromEntries(roles.map((role) => [`role-${role}`, 'yes']))
  return (await administrator.send('/office/people', boxes, `/office/people/${id}/roles`)).status
}

/** Somebody signs in with password and code. */
async function signIn(node: TestNode, handle: string, secret: string): Promise<Visitor> {
  const visitor = new Visitor(node)
  await visitor.send('/sign-in', { handle, password: PASSWORD })
  const { status } = await visitor.send('/sign-in/code', { code: codeOf(secret, 1) })
  if (status !== 303) throw new Error(`signing in as ${handle} answered ${status}`)
  return visitor
}

/** What a node answers to a peer that asks for its people, with the login that the other node has for it. */
async function asked(node: TestNode, by: TestNode): Promise<{ status: number; body: unknown }> {
  const yaml = await readFile(by.peers, 'utf8')
  const [, username = '', password = ''] = /credentials:\s+username: (\S+)\s+password: (\S+)/.exec(yaml) ?? []
  const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
  const response = await node.page('/gateway/people', { headers: { authorization } })
  return { status: response.status, body: await response.json() }
}

test('the only moderator’s node is killed: the same person signs in on the peer and hides', async (t) => {
  const [here, there] = [await startNode(t), await startNode(t)]
  await join2(here, there)
  const root = await setUp(here)
  const moderator = await invite(here, root, 'mod', { roles: ['moderator'], second: false })
  const { secret } = await enrol(moderator)
  const story = await publish(there, { title: 'To be hidden' })

  t.is((await asked(here, there)).status, 403, 'nobody has said that people are shared')
  await share(there)
  t.is((await asked(here, there)).status, 403, 'one side has not')
  await share(here)
  const answer = await until('both have', async () => {
    const found = await asked(here, there)
    return found.status === 200 && found
  })
  const { accounts } = answer.body as { accounts: { entries: object }[] }
  t.is(accounts.length, 2)
  for (const account of accounts) t.is(accountProblem(account), undefined)
  t.is((await here.page('/gateway/people')).status, 401)

  await until('the account has come, with its second factor', async () =>
    (await accountsOn(there)).some(({ handle, totp }) => handle === 'mod' && totp !== undefined),
  )
  await here.kill()
  const visitor = new Visitor(there)
  const signIn = { handle: 'mod', password: PASSWORD }
  t.is((await visitor.send('/sign-in', signIn)).headers.get('location'), '/sign-in/code?to=%2Faccount')
  t.is((await visitor.send('/sign-in/code', { code: codeOf(secret, 1) })).status, 303)
  const judged = { action: 'hide', category: 'danger' }
  t.is((await visitor.send(`/moderate/${story.item}`, judged)).status, 303)
  t.false((await there.html('/newswire')).includes('To be hidden'))

  // The other node learns of it, and knows who it was.
  await here.start()
  await until('it is hidden here too', async () => (await here.html('/hidden')).includes('To be hidden'))
  t.regex(await moderator.html(`/moderate/${story.item}`), /<span dir="ltr">mod<\/span>/)
})

test('what is changed of an account on two nodes at once is both kept', async (t) => {
  const [here, there] = [await startNode(t), await startNode(t)]
  await join2(here, there)
  await share(here)
  await share(there)
  const root = await setUp(here)
  const moderator = await invite(here, root, 'mod', { roles: ['moderator'] })
  const id = /account-([0-9a-z]{20})"><span dir="ltr">mod</.exec(await root.html('/office/people'))?.[1] ?? ''
  await until('it is there', async () =>
    there.withCouch(async (couch) => (await couch.database('people').get(`account:${id}`)) !== undefined),
  )
  await there.stop()
  // Here the role is taken while there, which is cut off, the password is changed.
  t.is((await root.send('/office/people', {}, `/office/people/${id}/roles`)).status, 303)
  await here.stop()
  await there.start()
  const link = await there.run('account', 'reset', 'mod')
  t.is(link.code, 0, link.err)
  const path = /http:\/\/[^/]+(\/new-password\/\S+)/.exec(link.out)?.[1] ?? ''
  t.is((await new Visitor(there).send(path, { password: 'changed while cut off' })).status, 303)
  await here.start()
  for (const node of [here, there]) {
    await until('both changes are here', async () => {
      const visitor = new Visitor(node)
      const { status } = await visitor.send('/sign-in', { handle: 'mod', password: 'changed while cut off' })
      const document = await node.withCouch(async (couch) => couch.database('people').get(`account:${id}`))
      const { entries } = document as unknown as { entries: Record<string, { value: unknown }> }
      return status === 303 && entries['role:moderator']?.value === false
    })
  }
  t.is((await moderator.get('/office')).status, 303, 'a new password ends the sessions on both')
})

test('of a role that is given on one node while it is taken on the other the later word counts, on both', async (t) => {
  const { here, there, cut, mend } = await two(t)
  const root = await setUp(here)
  const ada = await invite(here, root, 'ada', { roles: ['administrator'], second: false })
  const { secret } = await enrol(ada)
  await invite(here, root, 'mod', { roles: ['moderator'], second: false })
  const { id } = await accountOn(there, 'mod')
  await until('ada’s second factor has come', async () => (await accountOn(there, 'ada')).totp !== undefined)
  const adaThere = await signIn(there, 'ada', secret)
  const rolesOn = async (node: TestNode) => (await accountOn(node, 'mod')).roles

  await cut()
  // Moderator: taken there, then taken and given again here. Editor: given here, then given and taken again there.
  t.is(await setRoles(adaThere, id, []), 303)
  t.is(await setRoles(root, id, []), 303)
  t.is(await setRoles(root, id, ['moderator', 'editor']), 303)
  t.is(await setRoles(adaThere, id, ['editor']), 303)
  t.is(await setRoles(adaThere, id, []), 303)
  t.deepEqual(await rolesOn(here), ['moderator', 'editor'])
  t.deepEqual(await rolesOn(there), [])
  await mend()
  for (const node of [here, there])
    await until('both have the later word of each role', async () => {
      const roles = await rolesOn(node)
      return roles.length === 1 && roles[0] === 'moderator'
    })
  t.deepEqual((await accountOn(here, 'mod')).roles, (await accountOn(there, 'mod')).roles)
})

test('two administrators who take the role from each other at once leave none; the next start prints a link', async (t) => {
  const { here, there, cut, mend } = await two(t)
  const root = await setUp(here)
  const ada = await invite(here, root, 'ada', { roles: ['administrator'], second: false })
  const { secret } = await enrol(ada)
  await until('ada’s second factor has come', async () => (await accountOn(there, 'ada')).totp !== undefined)
  const adaThere = await signIn(there, 'ada', secret)
  const [rootId, adaId] = [(await accountOn(there, 'root')).id, (await accountOn(there, 'ada')).id]

  await cut()
  t.is(await setRoles(root, adaId, []), 303)
  t.is(await setRoles(adaThere, rootId, []), 303)
  t.is(await setRoles(root, rootId, []), 409, 'each is the last one where they are')
  t.is(await setRoles(adaThere, adaId, []), 409)
  await mend()
  for (const node of [here, there])
    await until('nobody administers it', async () => (await administrators(node)).length === 0)
  for (const visitor of [root, adaThere]) t.is((await visitor.get('/office/people')).status, 403)

  await here.stop()
  await here.start()
  await setUp(here, 'eve')
  t.deepEqual(await administrators(here), ['eve'])
  await until('she administers both', async () => (await administrators(there)).includes('eve'))
  await there.stop()
  await there.start()
  t.false(there.output.includes('set up'), 'this one has an administrator by now')
})
