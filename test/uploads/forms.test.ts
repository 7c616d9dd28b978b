import test from 'ava'
import { formFields, openEdit } from '../helpers/forms.ts'
import { startNodeHere } from '../helpers/node-here.ts'
import { again, blobsOnDisk, filesShown, onDisk, openForm, sendFiles, tellingPhoto } from './helpers.ts'

test('files are added to a form, kept with all that was typed, and published with it', async (t) => {
  // So that what is counted is what was sent.
  const node = await startNodeHere(t, 'media: { derive: { on: false } }\n')
  const photos = [await tellingPhoto(t, 'IMG_20260712_081500.jpg', 10), await tellingPhoto(t, 'b.jpg', 250)]
  const form = await openForm(node)
  const added = await sendFiles(
    node,
    '/publish/article',
    { ...form, summary: 'As typed', action: 'add' },
    photos,
  )
  t.is(added.status, 200)
  const html = await added.text()
  t.is(filesShown(html).length, 2)
  const shown = again(html)
  t.is(shown.summary, 'As typed')
  t.true(html.includes('IMG_20260712_081500.jpg'))
  t.is(shown['file-1-name'], '', 'the name of a picture tells when it was taken')
  const preview = await node.page(/src="(\/uploads\/[0-9a-f]{32}\/preview)"/.exec(html)?.[1] ?? '')
  t.is(preview.headers.get('content-type'), 'image/jpeg')
  t.deepEqual(
    (await onDisk(node)).filter((name) => !name.endsWith('.jpg')),
    [],
  )
  const published = await sendFiles(
    node,
    '/publish/article',
    {
      ...shown,
      'file-1-alt': 'A red field',
      'file-2-caption': 'Second',
      'file-2-place': '1',
      action: 'publish',
    },
    [],
  )
  t.is(published.status, 303, await published.text())
  const [, item = '', secret = ''] =
    /articles\/([^/]+)\/published\/(.+)$/.exec(published.headers.get('location') ?? '') ?? []
  const document = await node.here.site.anyItem(item)
  const files = document?.fields.files as { file: string; media: string; caption?: string }[]
  t.is(files.length, 2)
  t.is(files[0]?.caption, 'Second')
  t.is(document?.media?.[files[1]?.media ?? '']?.alt, 'A red field')
  t.is((await node.page(`/files/${files[0]?.file ?? ''}.jpg`)).status, 200)
  // The same form once more makes nothing new.
  const twice = await sendFiles(node, '/publish/article', { ...shown, action: 'publish' }, [])
  t.is(twice.headers.get('location'), published.headers.get('location'))
  t.is(Object.keys((await node.here.site.anyItem(item))?.media ?? {}).length, 2)

  const edit = await openEdit(node, { item, path: `/articles/${item}`, secret })
  t.is(edit['file-1-caption'], 'Second')
  const { files: _, ...fields } = edit
  const path = `/articles/${item}/edit/${secret}`
  const changed = { ...fields, 'file-2-alt': 'A red field at noon', 'file-1-out': 'yes', action: 'publish' }
  const saved = await sendFiles(node, path, changed, [await tellingPhoto(t, 'c.jpg', 100)])
  t.is(saved.status, 303, await saved.text())
  const later = await node.here.site.anyItem(item)
  const now = later?.fields.files as typeof files
  t.is(now.length, 2)
  t.is(now[0]?.file, files[1]?.file)
  t.not(now[0]?.media, files[1]?.media)
  t.is(later?.media?.[now[0]?.media ?? '']?.alt, 'A red field at noon')
  t.is((await blobsOnDisk(node)).length, 3)
  t.is(formFields(await node.html(path))['file-1-alt'], 'A red field at noon')
})
