import test from 'ava'
import type { Page } from 'playwright-core'
import { hasBrowser, startBrowser, violations } from '../helpers/browser.ts'
import { startNode } from '../helpers/node.ts'
import { PASSWORD } from '../helpers/people.ts'
import { until } from '../helpers/wait.ts'

const inBrowser = hasBrowser() ? test : test.skip

/** A device of the browser's own that says yes to everything. */
async function plugIn(page: Page): Promise<void> {
  const session = await page.context().newCDPSession(page)
  await session.send('WebAuthn.enable')
  const options = {
    protocol: 'ctap2',
    transport: 'usb',
    isUserVerified: true,
    hasUserVerification: true,
  } as const
  await session.send('WebAuthn.addVirtualAuthenticator', { options })
}

for (const [browserKind, isOld] of [
  ['a browser', false],
  ['a browser that knows passkeys but not their JSON', true],
] as const) {
  inBrowser(
    `in ${browserKind}: a passkey is added, signs in, and is removed; all pages for everybody`,
    async (t) => {
      const node = await startNode(t)
      const browser = await startBrowser(t)
      const context = await browser.newContext({ locale: 'en-GB' })
      if (isOld)
        await context.addInitScript(`
        delete PublicKeyCredential.parseCreationOptionsFromJSON
        delete PublicKeyCredential.parseRequestOptionsFromJSON
        delete PublicKeyCredential.prototype.toJSON`)
      const page = await context.newPage()
      const refused: string[] = []
      page.on('console', (message) => {
        if (message.text().includes('Content Security Policy')) refused.push(message.text())
      })
      // Passkeys are bound to a name, which a number is not.
      const site = node.address.replace('127.0.0.1', 'localhost')
      const go = (path: string) => page.goto(site + path)
      const press = (name: string) => page.locator('main').getByRole('button', { name, exact: true }).click()
      const check = async () => {
        for (const [colorScheme, width] of [
          ['light', 1280],
          ['dark', 360],
        ] as const) {
          await page.emulateMedia({ colorScheme })
          await page.setViewportSize({ width, height: 800 })
          t.deepEqual(await violations(page), [], `${page.url()} ${colorScheme} ${width}`)
          const wide = await page.evaluate<number>('document.documentElement.scrollWidth')
          t.true(wide <= width, `${page.url()} is ${wide} wide on ${width}`)
        }
      }

      const link = await until('the link', () => /set up {3}http:\/\/[^/]+(\/\S+)/.exec(node.output)?.[1])
      await go(link)
      await page.getByLabel('Handle').fill('ada')
      await page.getByLabel('Password').fill(PASSWORD)
      await press('Set up this node')
      await page.waitForURL(`${site}/account`)
      t.is((await go('/office'))?.status(), 403)
      await go('/account')
      t.false(await page.locator('[data-passkey-missing]').isVisible())
      await check()

      await plugIn(page)
      const form = page.locator('form[data-passkey=add]')
      await form.getByLabel('What to call it').fill('blue key')
      await form.getByLabel('Password').fill('wrong password')
      await press('Add a passkey')
      await page.getByText('The password is wrong; nothing was changed.').waitFor()
      await check()
      await form.getByLabel('Password').fill(PASSWORD)
      await press('Add a passkey')
      await page.locator('.codes li').first().waitFor()
      t.is(await page.locator('.codes li').count(), 10)
      t.is((await go('/office'))?.status(), 200, 'the role counts')

      await go('/account')
      t.true((await page.locator('main').innerText()).includes('blue key'))
      await check()
      // The same device is asked once more and says that it is known already.
      await form.getByLabel('Password').fill(PASSWORD)
      await press('Add a passkey')
      await page.getByText('That did not work').waitFor()
      await press('Sign out')

      await go('/sign-in?to=/office')
      await page.getByLabel('Handle').fill('ada')
      await page.getByLabel('Password').fill(PASSWORD)
      await press('Sign in')
      await page.waitForURL(/\/sign-in\/code/)
      await check()
      await press('Use a passkey')
      await page.waitForURL(`${site}/office`)

      await go('/account')
      await page.getByLabel('blue key').check()
      await page.locator('#passkey-remove-password').fill(PASSWORD)
      await press('Remove this passkey')
      await page.waitForURL(`${site}/account`)
      await until('the list is gone', async () => (await page.getByLabel('blue key').count()) === 0)
      t.is((await go('/office'))?.status(), 403)
      t.deepEqual(refused, [])
    },
  )
}

inBrowser('without JavaScript a page says what passkeys take, and codes work', async (t) => {
  const node = await startNode(t)
  const browser = await startBrowser(t)
  const context = await browser.newContext({ javaScriptEnabled: false, locale: 'en-GB' })
  const page = await context.newPage()
  const link = await until('the link', () => /set up {3}http:\/\/[^/]+(\/\S+)/.exec(node.output)?.[1])
  await page.goto(node.address.replace('127.0.0.1', 'localhost') + link)
  await page.getByLabel('Handle').fill('ada')
  await page.getByLabel('Password').fill(PASSWORD)
  await page.locator('main').getByRole('button', { name: 'Set up this node' }).click()
  t.true(await page.locator('[data-passkey-missing]').isVisible())
  t.false(await page.locator('form[data-passkey]').isVisible())
  t.true(await page.getByRole('button', { name: 'Set up one-time codes' }).isVisible())
})
