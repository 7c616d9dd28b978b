import test from 'ava'
import { formFields, publish, send } from '../helpers/forms.ts'
import { startNode } from '../helpers/node.ts'
import { setUp } from '../helpers/people.ts'

const SERIES = {
  title: 'Assembly',
  start: '2031-05-06',
  startTime: '19:00',
  zone: 'Europe/Madrid',
  repeat: 'weekly',
  until: '2031-05-27',
  tags: 'housing',
}
const DAYS = ['2031-05-06', '2031-05-13', '2031-05-20', '2031-05-27']

test('one decision hides all days of a series, and what was cancelled alone stays cancelled', async (t) => {
  const node = await startNode(t)
  const moderator = await setUp(node)
  const { path, item, secret } = await publish(node, SERIES, 'event')
  const form = `${path}/edit/${secret}/2031-05-13T19:00`
  const cancelled = { ...formFields(await node.html(form)), cancelled: 'yes', action: 'publish' }
  t.is((await send(node, form, cancelled)).status, 303)
  const daysShown = async (calendar: string) => {
    const shown: string[] = []
    for (const day of DAYS)
      if ((await node.html(`${calendar}/${day}`)).includes('>Assembly<')) shown.push(day)
    return shown
  }
  const without = DAYS.filter((day) => day !== '2031-05-13')
  for (const calendar of ['/calendar', '/tags/housing/calendar'])
    t.deepEqual(await daysShown(calendar), without)

  const decide = (fields: Record<string, string>) => moderator.send(`/moderate/${item}`, fields)
  t.is((await decide({ action: 'hide', category: 'duplicate' })).status, 303)
  for (const calendar of ['/calendar', '/tags/housing/calendar']) t.deepEqual(await daysShown(calendar), [])
  for (const list of ['/calendar/2031/05', '/calendar/2031-W21', '/calendar', '/'])
    t.false((await node.html(list)).includes('>Assembly<'), list)
  t.false((await node.html('/calendar.ics')).includes('Assembly'))
  t.is((await decide({ action: 'unhide' })).status, 303)
  t.deepEqual(await daysShown('/calendar'), without)
})
