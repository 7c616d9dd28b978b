import test from 'ava'
import type { BrowserContext, Page } from 'playwright-core'
import { hasBrowser, startBrowser, violations } from '../helpers/browser.ts'
import { publishWithFiles } from '../helpers/files-of-items.ts'
import { captionsFile } from '../helpers/invented-files.ts'
import {
  filmFile,
  madeOfFilm,
  madeOfSound,
  pictureFile,
  publishMade,
  sizesOfPicture,
  soundFile,
} from '../helpers/made-files.ts'
import { startNodeHere } from '../helpers/node-here.ts'
import type { NodeHere } from '../helpers/node-here.ts'
import { until } from '../helpers/wait.ts'

const inBrowser = hasBrowser() ? test : test.skip

async function publishAll(node: NodeHere) {
  const one = await pictureFile(
    { alt: 'A hill', caption: 'The hill.', credit: 'Ana' },
    { width: 800, height: 533 },
  )
  const two = await pictureFile({ alt: '' }, { width: 500, height: 800, hue: 120 })
  const film = await filmFile({ alt: 'Colours', name: 'colours.webm' })
  const sound = await soundFile({ caption: 'A tone', name: 'tone.wav' })
  const pdf = {
    bytes: Buffer.from('%PDF-1.4'),
    type: 'application/pdf',
    extension: 'pdf',
    name: 'minutes.pdf',
  }
  const photo = await publishWithFiles(node, [one, two], { kind: 'photo', fields: { title: 'Hills' } })
  await publishMade(
    node,
    { item: photo.item, of: photo.files[0]?.sha256 ?? '' },
    await sizesOfPicture(one, [320, 640]),
  )
  const captions = captionsFile('Bars of colours', { name: 'colours.en.vtt' })
  const video = await publishWithFiles(node, [film, captions], {
    kind: 'video',
    fields: { title: 'Colours' },
  })
  await publishMade(node, { item: video.item, of: video.files[0]?.sha256 ?? '' }, await madeOfFilm())
  const audio = await publishWithFiles(node, [sound, one], { kind: 'audio', fields: { title: 'A tone' } })
  await publishMade(node, { item: audio.item, of: audio.files[0]?.sha256 ?? '' }, await madeOfSound())
  const article = await publishWithFiles(node, [one, two, film, sound, pdf], {
    fields: { title: 'All of it' },
  })
  return {
    photo: `/photos/${photo.item}`,
    video: `/videos/${video.item}`,
    audio: `/audio/${audio.item}`,
    article: `/articles/${article.item}`,
  }
}

/** Opens a page and looks to its end, so that what loads late does; tells what a browser complained of. */
async function open(context: BrowserContext, url: string): Promise<{ page: Page; problems: string[] }> {
  const page = await context.newPage()
  const problems: string[] = []
  const { origin } = new URL(url)
  page.on('request', (request) => {
    if (!request.url().startsWith(origin)) problems.push(`asked ${request.url()}`)
  })
  page.on('requestfailed', (request) => problems.push(`failed: ${request.url()}`))
  page.on('console', (message) => problems.push(message.text()))
  await page.goto(url)
  for (const image of await page.locator('img').all()) await image.scrollIntoViewIfNeeded()
  return { page, problems }
}

/** Pictures that show nothing. */
function empty(page: Page): Promise<string[]> {
  return page.evaluate(
    '[...document.querySelectorAll("img")].filter((one) => !one.complete || one.naturalWidth === 0).map((one) => one.src)',
  )
}

async function plays(page: Page, selector: string): Promise<void> {
  const player = `document.querySelector("${selector}")`
  await page.evaluate(`${player}.play()`)
  await until(`${selector} plays`, async () => Number(await page.evaluate(`${player}.currentTime`)) > 0.2)
}

inBrowser(
  'pictures load, film and sound play, without scripts and without asking anybody else',
  async (t) => {
    const node = await startNodeHere(t, '')
    const paths = await publishAll(node)
    const browser = await startBrowser(t)
    const context = await browser.newContext({ javaScriptEnabled: false, locale: 'en' })
    for (const path of [paths.photo, paths.article, paths.audio, '/', '/newswire', '/media']) {
      const { page, problems } = await open(context, node.address + path)
      await until(`the pictures of ${path} are there`, async () => (await empty(page)).length === 0)
      t.deepEqual(problems, [], path)
      await page.close()
    }
    const { page: photo } = await open(context, node.address + paths.photo)
    const chosen = await photo.evaluate('document.querySelector(".gallery img").currentSrc')
    t.regex(String(chosen), /\.avif$/, 'the newest type of what there is')

    for (const [path, selector] of [
      [paths.video, 'video'],
      [`${paths.video}/embed`, 'video'],
      [paths.audio, 'audio'],
      [paths.article, 'video'],
      [paths.article, 'audio'],
    ] as const) {
      const { page, problems } = await open(context, node.address + path)
      await plays(page, selector)
      t.deepEqual(problems, [], path)
      await page.close()
    }
    const { page: video } = await open(context, node.address + paths.video)
    const cue = () =>
      video.evaluate(`(() => {
      const [track] = document.querySelector("video").textTracks
      track.mode = "showing"
      return track.cues?.[0]?.text
    })()`)
    await until('the captions are there', async () => (await cue()) === 'Bars of colours')

    // The pictures are where they will be before they are there.
    const still = await browser.newContext({ javaScriptEnabled: false })
    await still.route('**/files/**', (route) => route.abort())
    const blank = await still.newPage()
    await blank.goto(node.address + paths.article)
    const height = await blank.evaluate(
      'document.querySelector(".lead-files img").getBoundingClientRect().height',
    )
    t.true(Number(height) > 300, String(height))
  },
)

inBrowser(
  'pages with pictures and players are for everybody (WCAG 2.2 AA), in every size and direction',
  async (t) => {
    const node = await startNodeHere(t, '')
    const paths = await publishAll(node)
    const browser = await startBrowser(t)
    for (const [viewport, colorScheme, prefix] of [
      [{ width: 1280, height: 900 }, 'light', ''],
      [{ width: 375, height: 700 }, 'dark', ''],
      [{ width: 900, height: 700 }, 'light', '/ar'],
    ] as const) {
      const context = await browser.newContext({ viewport, colorScheme, bypassCSP: true })
      for (const path of [...Object.values(paths), `${paths.video}/embed`, '/', '/media', '/newswire']) {
        const page = await context.newPage()
        await page.goto(node.address + prefix + path)
        t.deepEqual(await violations(page), [], `${prefix}${path} ${viewport.width}`)
        const wide = await page.evaluate(
          'document.documentElement.scrollWidth - document.documentElement.clientWidth',
        )
        t.true(Number(wide) <= 0, `${prefix}${path} is ${String(wide)} too wide at ${viewport.width}`)
        await page.close()
      }
      await context.close()
    }
  },
)
