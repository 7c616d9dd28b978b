import { join } from 'node:path'
import test from 'ava'
import { hasBrowser, startBrowser, violations } from '../helpers/browser.ts'
import { publish } from '../helpers/forms.ts'
import { testFolder } from '../helpers/folder.ts'
import { startNode } from '../helpers/node.ts'
import { produce } from '../helpers/produced.ts'

const inBrowser = hasBrowser() ? test : test.skip

inBrowser('a produced site is read from a stick, without a server and without a node', async (t) => {
  const node = await startNode(t, { HYPERACTIVE_ABUSE_LIMITS: 'off' })
  for (let number = 0; number < 30; number += 1)
    await publish(node, { title: `Story ${number}`, tags: 'río', author: 'Ana' })
  await publish(
    node,
    { title: 'A concert', start: '2031-05-06', startTime: '19:00', zone: 'Europe/Madrid' },
    'event',
  )
  const out = join(await testFolder(t), 'a stick')
  await produce(node, out, '--live', 'https://one.example', 'https://two.example')
  await node.stop()

  const browser = await startBrowser(t)
  const page = await (await browser.newContext({ locale: 'en-GB' })).newPage()
  const asked: string[] = []
  const problems: string[] = []
  page.on('request', (request) => asked.push(request.url()))
  page.on('requestfailed', (request) => problems.push(request.url()))
  page.on('console', (message) => problems.push(message.text()))
  await page.goto(`file://${encodeURI(out)}/index.html`)
  const shown = await page.evaluate('getComputedStyle(document.querySelector(".masthead")).display')
  t.is(shown, 'grid', 'the style sheet is found')
  t.true((await page.screenshot({ fullPage: true })).length > 20_000)

  await page.getByRole('link', { name: 'Newswire', exact: true }).first().click()
  await page.getByRole('link', { name: 'Older' }).click()
  await page.getByRole('link', { name: 'Story 3', exact: true }).click()
  t.is(await page.getByRole('heading', { level: 1 }).innerText(), 'Story 3')
  await page.getByRole('link', { name: 'río' }).first().click()
  t.is(await page.getByRole('heading', { level: 1 }).innerText(), 'río')
  await page.getByRole('link', { name: 'Calendar' }).first().click()
  await page.getByRole('link', { name: 'A concert' }).click()
  t.is(await page.getByRole('heading', { level: 1 }).innerText(), 'A concert')
  await page.goto(`file://${encodeURI(out)}/calendar/2031/05/index.html`)
  t.is(
    await page.getByRole('link', { name: 'Publish', exact: true }).getAttribute('href'),
    'https://one.example/publish',
  )
  t.is(
    await page.getByRole('link', { name: 'two.example' }).getAttribute('href'),
    'https://two.example/search',
  )
  t.true(
    asked.every((url) => url.startsWith('file://')),
    asked.join(' '),
  )
  t.deepEqual(problems, [])

  // axe asks for the style sheet as a browser without a server lets nobody do, so it looks in a page of its own.
  const looked = await browser.newPage()
  for (const path of ['index.html', 'calendar/2031/05/index.html', 'newswire/index.html']) {
    await looked.goto(`file://${encodeURI(out)}/${path}`)
    t.deepEqual(await violations(looked), [], path)
  }
})
