import test from 'ava'
import { expand, parseCalendar } from '../calendar/parse-calendar.ts'
import { formFields, publish, send } from '../helpers/forms.ts'
import { startNode } from '../helpers/node.ts'
import type { TestNode } from '../helpers/node.ts'

const ASSEMBLY = {
  title: 'Assembly',
  start: '2031-05-06',
  startTime: '19:00',
  end: '',
  endTime: '21:00',
  zone: 'Europe/Madrid',
  repeat: 'weekly',
  until: '2031-05-27',
  venue: 'The yard',
  tags: 'housing',
  places: 'Harbour',
  language: 'en',
}

async function announce(node: TestNode, typed: Record<string, string> = {}) {
  const form = formFields(await node.html('/publish/event'))
  const answer = await send(node, '/publish/event', { ...form, ...ASSEMBLY, ...typed, action: 'publish' })
  const location = answer.headers.get('location') ?? ''
  const path = location.replace(/\/published\/.*/, '')
  return { answer, path, edit: location.replace('/published/', '/edit/') }
}

async function change(node: TestNode, address: string, typed: Record<string, string>) {
  const form = formFields(await node.html(address))
  return send(node, address, { ...form, ...typed, action: 'publish' })
}

/** The starts of all occurrences in a calendar file, as the parser has them. */
async function startsIn(node: TestNode, address: string): Promise<string[]> {
  const answer = await node.page(address)
  if (answer.status !== 200) return [`status ${answer.status}`]
  return parseCalendar(await answer.text())
    .events.flatMap((event) => expand(event))
    .map(({ start, summary }) => `${start} ${summary}`)
    .sort()
}

test('a series stands in the calendar by month, week and day, of the site, its tag and its place', async (t) => {
  const node = await startNode(t)
  const { answer, path } = await announce(node)
  t.is(answer.status, 303)
  for (const calendar of ['/calendar', '/tags/housing/calendar', '/places/harbour/calendar']) {
    for (const period of ['', '/2031/05', '/2031-W19', '/2031-W22', '/2031-05-06', '/2031-05-27'])
      t.true((await node.html(calendar + period)).includes('>Assembly<'), calendar + period)
    for (const period of ['/2031/07', '/2031-W18', '/2031-W23', '/2031-05-07', '/2031-06-03'])
      t.false((await node.html(calendar + period)).includes('>Assembly<'), calendar + period)
  }
  t.false((await node.html('/tags/other/calendar')).includes('>Assembly<'))
  const month = await node.html('/calendar/2031/05')
  t.is(month.match(/>Assembly</g)?.length, 4)
  t.regex(month, /<time datetime="2031-05-06T17:00:00.000Z">19:00<\/time>/)
  const page = await node.html(path)
  t.regex(page, /19:00.21:00/)
  t.regex(page, /Every week/)
  t.regex(page, /until 27 May 2031/)
})

test('a night that passes midnight, and one of the clock change, stand on their days', async (t) => {
  const node = await startNode(t)
  const once = { repeat: 'none', until: '' }
  await announce(node, { ...once, title: 'Night', startTime: '22:00', endTime: '02:00' })
  await announce(node, { ...once, title: 'Until midnight', start: '2031-05-10', endTime: '00:00' })
  // On 30 March 2031 the clocks of Madrid jump from two to three.
  await announce(node, { ...once, title: 'In the gap', start: '2031-03-30', startTime: '02:30', endTime: '' })
  await announce(node, {
    ...once,
    title: 'All day',
    start: '2031-05-12',
    startTime: '',
    endTime: '',
    end: '2031-05-14',
  })
  const on = async (day: string) =>
    [...(await node.html(`/calendar/${day}`)).matchAll(/dir="ltr"><a href="\/events\/[^>]*>([^<]*)</g)].map(
      ([, title]) => title,
    )
  t.deepEqual(await on('2031-05-06'), ['Night'])
  t.deepEqual(await on('2031-05-07'), ['Night'])
  t.deepEqual(await on('2031-05-10'), ['Until midnight'])
  t.deepEqual(await on('2031-05-11'), [])
  t.deepEqual(await on('2031-03-30'), ['In the gap'])
  for (const day of ['2031-05-12', '2031-05-13', '2031-05-14']) t.deepEqual(await on(day), ['All day'])
  t.regex(await node.html('/calendar/2031-03-30'), /03:30/)
})

test('one occurrence is moved, another cancelled, and the series stays', async (t) => {
  const node = await startNode(t)
  const { path, edit } = await announce(node)
  const form = await node.html(edit)
  t.true(form.includes(`href="${edit}/2031-05-13T19%3A00"`))
  const second = `${edit}/${encodeURIComponent('2031-05-13T19:00')}`
  t.is(
    (await change(node, second, { start: '2031-05-14', end: '2031-05-14', venue: 'The park' })).status,
    303,
  )
  const third = `${edit}/${encodeURIComponent('2031-05-20T19:00')}`
  t.is((await change(node, third, { cancelled: 'yes' })).status, 303)
  const times = ['2031-05-06', '2031-05-14', '2031-05-27'].map((day) => `${day}T17:00:00.000Z Assembly`)
  t.deepEqual(await startsIn(node, `${path}/calendar.ics`), times)
  const page = await node.html(path)
  t.true(page.includes('The park'))
  t.false(page.includes('20 May 2031'))
  t.false((await node.html('/calendar/2031-05-20')).includes('>Assembly<'))

  // An hour later, all of them: what was changed and cancelled stays so.
  t.is((await change(node, edit, { startTime: '20:00', endTime: '22:00', end: '2031-05-06' })).status, 303)
  t.deepEqual(await startsIn(node, `${path}/calendar.ics`), [
    '2031-05-06T18:00:00.000Z Assembly',
    '2031-05-14T17:00:00.000Z Assembly',
    '2031-05-27T18:00:00.000Z Assembly',
  ])
  const fourth = `${edit}/${encodeURIComponent('2031-05-20T20:00')}`
  t.is((await change(node, fourth, { cancelled: '' })).status, 303)
  t.is((await startsIn(node, `${path}/calendar.ics`)).length, 4)
  t.is((await node.page(`${edit}/2031-05-21T20%3A00`)).status, 404)
  const wrong = await change(node, fourth, { end: '2031-05-01' })
  t.is(wrong.status, 422)
  t.regex(await wrong.text(), /id="start-problem"/)
})

test('calendar files of the site, a tag, a place and a group hold what their calendars show', async (t) => {
  const node = await startNode(t)
  const soon = new Date(Date.now() + 86_400_000).toISOString().slice(0, 10)
  const made = await publish(node, { title: 'Tenants', summary: 'We live here.' }, 'group')
  const event = { start: soon, repeat: 'none', until: '', endTime: '', group: made.item }
  const inGroup = `${made.path}/publish/${made.secret}/event`
  const form = formFields(await node.html(inGroup))
  t.is((await send(node, inGroup, { ...form, ...ASSEMBLY, ...event, action: 'publish' })).status, 303)
  const [start] = await startsIn(node, '/calendar.ics')
  t.regex(start ?? '', /Assembly/)
  for (const owner of ['/tags/housing', '/places/harbour', made.path])
    t.deepEqual(await startsIn(node, `${owner}/calendar.ics`), [start], owner)
  t.deepEqual(await startsIn(node, '/tags/other/calendar.ics'), [])
  t.true((await node.html(`${made.path}/calendar`)).includes('>Assembly<'))
  t.true((await node.html('/')).includes('>Assembly<'))

  const first = await node.page('/calendar.ics')
  t.is(first.headers.get('content-type'), 'text/calendar; charset=utf-8')
  const again = await node.page('/calendar.ics', {
    headers: { 'if-none-match': first.headers.get('etag') ?? '', 'cache-control': 'max-age=0' },
  })
  t.is(again.status, 304)
})

test('addresses of the calendar that name no time are 404, other spellings of a tag lead to it', async (t) => {
  const node = await startNode(t)
  await announce(node)
  for (const address of [
    '/calendar/2031/13',
    '/calendar/2031-W60',
    '/calendar/2031-02-30',
    '/calendar/soon',
    '/groups/x/calendar',
  ])
    t.is((await node.page(address)).status, 404, address)
  const other = await node.page('/tags/Housing/calendar/2031/05')
  t.is(other.status, 301)
  t.is(other.headers.get('location'), '/tags/housing/calendar/2031/05')
  t.is((await node.page('/events')).headers.get('location'), '/calendar')
  t.regex(await node.html('/calendar/2050/01'), /noindex/)
})
