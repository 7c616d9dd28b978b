import { readFile } from 'node:fs/promises'
import test from 'ava'
import { join2, startNode } from '../helpers/node.ts'
import { invite, PASSWORD, setUp, Visitor } from '../helpers/people.ts'
import { until } from '../helpers/wait.ts'

test('two nodes that gave out one handle begin to share: an administrator gives the younger account another', async (t) => {
  const [here, there] = [await startNode(t), await startNode(t)]
  await join2(here, there)
  const root = await setUp(here, 'root')
  await invite(here, root, 'ada', { second: false })
  const other = await setUp(there, 'boss')
  await invite(there, other, 'ada', { second: false })
  for (const node of [here, there]) {
    const yaml = await readFile(node.peers, 'utf8')
    await node.writePeers(yaml.replaceAll(/^( *)- name: (\S+)$/gm, '$1- name: $2\n$1  people: true'))
  }
  const PEOPLE = '/office/people'
  const page = await until('both accounts are here', async () => {
    const html = await root.html(PEOPLE)
    return html.includes('taken by an older account') && html
  })
  t.is(page.match(/<span dir="ltr">ada<\/span>/g)?.length, 2)
  const id = /action="\/office\/people\/([0-9a-z]{20})\/handle"/.exec(page)?.[1] ?? ''
  const give = (handle: string) => root.send(PEOPLE, { handle }, `${PEOPLE}/${id}/handle`)
  for (const [wrong, problem] of [
    ['A', 'A handle has 3 to 40'],
    ['ada', 'This handle is taken'],
    ['root', 'This handle is taken'],
  ] as const) {
    const refused = await give(wrong)
    t.is(refused.status, 422, wrong)
    const html = await refused.text()
    t.true(html.includes(`value="${wrong.toLowerCase()}"`) && html.includes(problem), wrong)
  }
  t.is((await root.send(PEOPLE, { handle: 'new' }, `${PEOPLE}/${'0'.repeat(20)}/handle`)).status, 404)
  t.is((await give(' Ada-There ')).status, 303)
  t.false((await root.html(PEOPLE)).includes('taken by an older account'))
  for (const node of [here, there]) {
    for (const handle of ['ada', 'ada-there']) {
      await until(`${handle} signs in`, async () => {
        const answer = await new Visitor(node).send('/sign-in', { handle, password: PASSWORD })
        return answer.status === 303
      })
    }
  }
})
