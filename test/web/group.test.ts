import test from 'ava'
import { publish } from '../helpers/forms.ts'
import { startNode } from '../helpers/node.ts'

test('a group’s page has its newswire, its calendar and its playlist', async (t) => {
  const node = await startNode(t)
  const group = await publish(
    node,
    {
      title: 'Pedal radio',
      summary: 'On air.',
      open: 'yes',
      playlist:
        'Jingle with bell https://radio.example/jingle.ogg\nAn hour https://radio.example/hour.ogg?a=1',
    },
    'group',
  )
  await publish(node, { title: 'By the radio', group: group.item })
  const event = {
    start: '2031-05-06',
    startTime: '19:00',
    zone: 'Europe/Madrid',
    title: 'On air',
    group: group.item,
  }
  await publish(node, event, 'event')
  const html = await node.html(group.path)
  for (const text of ['By the radio', 'On air', 'Jingle with bell', `/publish/article?group=${group.item}`])
    t.true(html.includes(text), text)
  t.true(
    (await node.html(`/publish/article?group=${group.item}`)).includes(`name="group" value="${group.item}"`),
  )
  const playlist = await node.page(`${group.path}/playlist.m3u`)
  t.is(playlist.headers.get('content-type'), 'audio/x-mpegurl; charset=utf-8')
  t.deepEqual((await playlist.text()).split('\n'), [
    '#EXTM3U',
    '#PLAYLIST:Pedal radio',
    '#EXTINF:-1,Jingle with bell',
    'https://radio.example/jingle.ogg',
    '#EXTINF:-1,An hour',
    'https://radio.example/hour.ogg?a=1',
    '',
  ])
  const other = await publish(node, { title: 'Silent', summary: 'No music.' }, 'group')
  t.is((await node.page(`${other.path}/playlist.m3u`)).status, 404)
  t.is((await node.page('/groups/none/playlist.m3u')).status, 404)
})
