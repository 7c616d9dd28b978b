import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import test from 'ava'
import type { ExecutionContext } from 'ava'
import type { Page } from 'playwright-core'
import sharp from 'sharp'
import { hasBrowser, startBrowser, violations } from '../helpers/browser.ts'
import { startNode } from '../helpers/node.ts'
import type { TestNode } from '../helpers/node.ts'
import { testFolder } from '../helpers/folder.ts'
import { onDisk } from '../uploads/helpers.ts'

const inBrowser = hasBrowser() ? test : test.skip
const [WIDTH, HEIGHT] = [400, 300]

/** A picture in which no two pixels beside each other are alike. */
async function noisy(t: ExecutionContext, name = 'noise.png'): Promise<string> {
  const path = join(await testFolder(t), name)
  const raw = { width: WIDTH, height: HEIGHT, channels: 3 as const }
  await sharp(randomBytes(WIDTH * HEIGHT * 3), { raw })
    .png()
    .toFile(path)
  return path
}

/** Of the picture of a published item, how much pixels beside each other differ in a part of it, on average. */
async function grain(node: TestNode, page: Page, part: { left: number; width: number }): Promise<number> {
  const item = new URL(page.url()).pathname.split('/')[2] ?? ''
  const answer = await node.page(`/api/v1/items/${item}`)
  const { fields } = (await answer.json()) as { fields: { files: { file: string }[] } }
  const file = await node.page(`/files/${fields.files[0]?.file ?? ''}.png`)
  const box = { left: part.left, width: part.width, top: 10, height: HEIGHT - 20 }
  const { data } = await sharp(Buffer.from(await file.arrayBuffer()))
    .removeAlpha()
    .extract(box)
    .raw()
    .toBuffer({ resolveWithObject: true })
  let sum = 0
  for (let at = 3; at < data.length; at += 1) sum += Math.abs((data[at] ?? 0) - (data[at - 3] ?? 0))
  return sum / data.length
}

interface Opened {
  page: Page
  problems: string[]
}

async function open(
  t: ExecutionContext,
  node: TestNode,
  path: string,
  javaScriptEnabled: boolean,
): Promise<Opened> {
  const browser = await startBrowser(t)
  const context = await browser.newContext({ javaScriptEnabled, locale: 'en-GB' })
  const page = await context.newPage()
  const problems: string[] = []
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(message.text())
  })
  page.on('pageerror', (error) => problems.push(error.message))
  page.on('request', (request) => {
    if (new URL(request.url()).origin !== node.address) problems.push(request.url())
  })
  await page.goto(node.address + path)
  return { page, problems }
}

inBrowser('without JavaScript files are added, described, ordered, taken out and published', async (t) => {
  const node = await startNode(t)
  const { page, problems } = await open(t, node, '/publish/photo', false)
  await page.getByLabel('Choose files').setInputFiles([await noisy(t, 'a.png'), await noisy(t, 'b.png')])
  await page.getByLabel('About it', { exact: true }).fill('Kept')
  await page.getByRole('button', { name: 'Add these files' }).click()
  t.is(await page.locator('.file').count(), 2)
  t.is(await page.getByLabel('About it', { exact: true }).inputValue(), 'Kept')
  t.true(
    await page
      .locator('.file img')
      .first()
      .evaluate((image) => (image as unknown as { naturalWidth: number }).naturalWidth > 0),
  )
  await page.getByLabel('Description').first().fill('Noise')
  await page.getByLabel('Take it out').nth(1).check()
  await page.getByLabel('Title', { exact: true }).fill('Noises')
  await page.getByLabel('Choose files').setInputFiles(await noisy(t, 'c.png'))
  // The return key publishes, as in a form without files.
  await page.getByLabel('Title', { exact: true }).press('Enter')
  await page.waitForURL(/\/published\//)
  const item = new URL(page.url()).pathname.split('/')[2] ?? ''
  const { fields } = (await (await node.page(`/api/v1/items/${item}`)).json()) as {
    fields: { files: object[]; body: string }
  }
  t.is(fields.files.length, 2)
  t.is(fields.body, 'Kept')
  t.deepEqual(problems, [])
})

inBrowser('with JavaScript faces are hidden in the browser, and files go before the form', async (t) => {
  const node = await startNode(t)
  const { page, problems } = await open(t, node, '/publish/photo', true)
  await page.getByLabel('Title', { exact: true }).fill('A quiet picture')
  await page.getByLabel('Choose files').setInputFiles(await noisy(t))
  t.is(await page.locator('.file .status').innerText(), 'Not sent yet')
  await page.locator('.file canvas').waitFor()
  await page.getByRole('button', { name: 'Hide faces' }).click()
  await page.getByLabel('Rectangle').check()
  const stage = await page.locator('.faces .stage').boundingBox()
  if (!stage) throw new Error('there is no picture to draw on')
  await page.mouse.move(stage.x + 1, stage.y + 1)
  await page.mouse.down()
  await page.mouse.move(stage.x + stage.width / 4, stage.y + stage.height, { steps: 3 })
  await page.mouse.move(stage.x + stage.width / 2, stage.y + stage.height + 20, { steps: 3 })
  await page.mouse.up()
  await page.getByRole('button', { name: 'Add an area' }).click()
  t.is(await page.locator(':focus').getAttribute('aria-label'), 'Area 2')
  for (let press = 0; press < 30; press += 1) await page.keyboard.press('ArrowRight')
  await page.keyboard.press('Shift+ArrowDown')
  await page.keyboard.press('Delete')
  t.is(await page.locator('.faces .area').count(), 1)
  t.deepEqual(await violations(page), [])
  await page.getByRole('button', { name: 'Hide them in the picture' }).click()
  await page.getByText('Hidden areas: 1').waitFor()
  await page.getByLabel('Description').fill('Half of it is noise')
  t.deepEqual(await violations(page), [])
  await page.getByRole('button', { name: 'Publish', exact: true }).click()
  await page.waitForURL(/\/published\//)
  const covered = await grain(node, page, { left: 5, width: WIDTH / 2 - 15 })
  const open_ = await grain(node, page, { left: WIDTH / 2 + 10, width: WIDTH / 2 - 20 })
  t.true(open_ > 60, `what was not covered is as it was: ${open_}`)
  t.true(covered < 8, `what was covered is gone: ${covered}`)
  t.deepEqual(problems, [])
})

inBrowser('what is cut off goes on, what is refused says why, and what is taken out is gone', async (t) => {
  const node = await startNode(t)
  const { page } = await open(t, node, '/publish/article', true)
  let cut = 0
  await page.route('**/uploads/*', (route) => {
    if (route.request().method() !== 'PATCH' || cut > 1) return route.continue()
    cut += 1
    return route.abort('connectionreset')
  })
  await page.getByLabel('Choose files').setInputFiles([
    { name: 'long.txt', mimeType: 'text/plain', buffer: Buffer.alloc(9_000_000, 'A line of text.\n') },
    { name: 'page.html', mimeType: 'text/html', buffer: Buffer.from('<!doctype html><p>Hello</p>') },
    { name: 'third.txt', mimeType: 'text/plain', buffer: Buffer.from('A third text.\n') },
  ])
  t.is(await page.locator('.file').count(), 3)
  t.is(await page.locator('#file-1-name').inputValue(), 'long.txt')
  await page.getByLabel('Take it out').nth(2).click()
  t.is(await page.locator('.file').count(), 2)
  await page.getByRole('button', { name: 'Send these files now' }).click()
  await page.locator('.file .status', { hasText: 'Added' }).waitFor()
  t.is(cut, 2)
  await page.getByText('page.html: files of this type cannot be published.').waitFor()
  await page.getByLabel('Title', { exact: true }).fill('With a text')
  await page.getByLabel('Text', { exact: true }).fill('See below.')
  await page.getByLabel('Take it out').nth(1).click()
  await page.getByRole('button', { name: 'Publish', exact: true }).click()
  await page.waitForURL(/\/published\//)
  t.deepEqual(await onDisk(node), [])
})

inBrowser(
  'files that are dropped on the form are sent with it, also when they were refused once',
  async (t) => {
    const node = await startNode(t)
    const { page, problems } = await open(t, node, '/publish/audio', true)
    const transfer = await page.evaluateHandle(`(() => {
    const data = new DataTransfer()
    data.items.add(new File(['Dropped text.'], 'dropped.txt', { type: 'text/plain' }))
    return data
  })()`)
    await page.locator('fieldset.files').dispatchEvent('drop', { dataTransfer: transfer })
    await page.getByText('dropped.txt').waitFor()
    await page.getByLabel('Title', { exact: true }).fill('Dropped')
    await page.getByRole('button', { name: 'Preview' }).click()
    await page.getByText('Preview: not saved yet').waitFor()
    t.is(await page.locator('.file').count(), 1, 'the preview keeps the file')
    await page.getByRole('button', { name: 'Publish', exact: true }).click()
    await page.waitForURL(/\/published\//)
    t.deepEqual(problems, [])
  },
)
