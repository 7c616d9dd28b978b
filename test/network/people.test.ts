import { readFile } from 'node:fs/promises'
import test from 'ava'
import { accountProblem } from '../../src/accounts/account.ts'
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

  const visitor = new Visitor(there)
  await until('the account has come', async () => {
    const { status } = await visitor.send('/sign-in', { handle: 'mod', password: PASSWORD })
    return status === 303
  })
  await here.kill()
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
