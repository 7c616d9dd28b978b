import test from 'ava'
import type { Page } from 'playwright-core'
import { hasBrowser, startBrowser, violations } from '../helpers/browser.ts'
import { startNodeWith } from '../helpers/config.ts'

const inBrowser = hasBrowser() ? test : test.skip
const QUESTION = 'What is this site called? Its name stands at the top of the page.'

async function write(page: Page, address: string, title: string): Promise<void> {
  await page.goto(`${address}/publish/article`)
  await page.getByLabel('Title', { exact: true }).fill(title)
  await page.getByLabel('Text', { exact: true }).fill('A text.')
}

inBrowser(
  'with JavaScript the browser does the work while one writes, and nobody has to answer',
  async (t) => {
    const node = await startNodeWith(t, 'abuse: { challenge: always, workBits: 12 }\n')
    const browser = await startBrowser(t)
    const page = await (await browser.newContext({ locale: 'en-GB' })).newPage()
    const problems: string[] = []
    page.on('console', (message) => {
      if (message.type() === 'error') problems.push(message.text())
    })
    page.on('pageerror', (error) => problems.push(error.message))
    await page.goto(`${node.address}/publish/article`)
    t.true(await page.getByLabel(QUESTION).isVisible(), 'until the form is used nothing is done')
    await write(page, node.address, 'Worked for')
    await page.getByText('Your browser has done the work.').waitFor()
    t.false(await page.getByLabel(QUESTION).isVisible())
    t.deepEqual(await violations(page), [])
    await page.getByRole('button', { name: 'Preview' }).click()
    await page.getByText('Preview: not saved yet').waitFor()
    // The button is pressed before the work on the new form is done: it waits.
    await page.getByRole('button', { name: 'Publish', exact: true }).click()
    await page.waitForURL(/\/published\//)
    await page.getByRole('link', { name: 'Read it' }).click()
    await page.getByRole('link', { name: 'Write a comment' }).click()
    await page.getByLabel('Comment', { exact: true }).fill('A remark.')
    await page.getByRole('button', { name: 'Send the comment' }).click()
    await page.getByText('A remark.').waitFor()
    t.deepEqual(problems, [])
  },
)

inBrowser('without JavaScript the question is answered; a wrong answer keeps the text', async (t) => {
  const node = await startNodeWith(
    t,
    'abuse:\n  challenge: always\n  questions: [{ ask: Which river?, answers: [the Elbe, Elbe] }]\n',
  )
  const browser = await startBrowser(t)
  const context = await browser.newContext({ javaScriptEnabled: false, locale: 'en-GB' })
  const page = await context.newPage()
  await write(page, node.address, 'Answered')
  await page.getByLabel('Which river?').fill('Danube')
  await page.getByRole('button', { name: 'Publish', exact: true }).click()
  t.is(
    await page.locator('#answer-problem').innerText(),
    'This is not the answer. What you wrote is still here.',
  )
  t.is(await page.getByLabel('Text', { exact: true }).inputValue(), 'A text.')
  t.is(await page.getByLabel('Which river?').inputValue(), 'Danube')
  await page.getByLabel('Which river?').fill('elbe')
  await page.getByRole('button', { name: 'Publish', exact: true }).click()
  await page.waitForURL(/\/published\//)
})

inBrowser('a browser that may run no worker leaves the question standing', async (t) => {
  const node = await startNodeWith(t, 'abuse: { challenge: always }\n')
  const browser = await startBrowser(t)
  const page = await (await browser.newContext({ locale: 'en-GB' })).newPage()
  await page.route(/\/assets\/prove-/, (route) => route.abort())
  await write(page, node.address, 'By hand')
  await page.getByRole('button', { name: 'Publish', exact: true }).click()
  await page.locator('#answer-problem').waitFor()
  await page.getByLabel(QUESTION).fill('hyperactive')
  await page.getByRole('button', { name: 'Publish', exact: true }).click()
  await page.waitForURL(/\/published\//)
  t.pass()
})
