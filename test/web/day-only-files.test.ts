import test from 'ava'
import type { Media } from '../../src/ledger/document.ts'
import { startNode } from '../helpers/node.ts'
import { until } from '../helpers/wait.ts'
import { openForm, sendFiles, tellingPhoto } from '../uploads/helpers.ts'

const MIDNIGHT = /^\d{4}-\d\d-\d\dT00:00:00\.000Z-[0-9a-f]{4}$/

test('neither a picture nor what is made of it tells the time of what is published with “Only the day”', async (t) => {
  const node = await startNode(t)
  const form = { ...(await openForm(node)), dayOnly: 'yes', action: 'publish' }
  t.is((await sendFiles(node, '/publish/article', form, [await tellingPhoto(t)])).status, 303)
  const named = async () => {
    const documents = await Promise.all((await node.ledgerIds()).map((id) => node.ledgerDocument(id)))
    const media = documents.filter((one) => one?.type === 'media') as Media[]
    return media.some(({ of }) => of !== undefined) ? media : undefined
  }
  // It is made with the lowest priority.
  const media = await until('smaller ones are made', named, 120_000)
  t.is(media.length, 2)
  for (const { at } of media) t.regex(at, MIDNIGHT)
})
