import test from 'ava'
import { hasBrowser, startBrowser, violations } from '../helpers/browser.ts'
import { makeClash } from '../helpers/clash.ts'
import { makeGroup } from '../helpers/groups.ts'
import { startNode } from '../helpers/node.ts'
import { invite, setUp } from '../helpers/people.ts'

const inBrowser = hasBrowser() ? test : test.skip

inBrowser(
  'without JavaScript: the author settles a clash paragraph by paragraph; its pages and those of groups for everybody',
  async (t) => {
    const node = await startNode(t)
    const { path, secret } = await makeClash(node)
    const browser = await startBrowser(t)
    const context = await browser.newContext({ javaScriptEnabled: false, locale: 'en-GB' })
    const page = await context.newPage()
    /** Looks at an address as the owner of a cookie does, with a program that checks it. */
    const check = async (address: string, cookie?: string) => {
      for (const [colorScheme, width] of [
        ['light', 1280],
        ['dark', 360],
      ] as const) {
        const seen = await (
          await browser.newContext({
            colorScheme,
            viewport: { width, height: 800 },
            ...(cookie === undefined ? {} : { extraHTTPHeaders: { cookie } }),
          })
        ).newPage()
        await seen.goto(node.address + address)
        t.deepEqual(await violations(seen), [], `${address} ${colorScheme} ${width}`)
        const wide = await seen.evaluate<number>('document.documentElement.scrollWidth')
        t.true(wide <= width, `${address} is ${wide} wide on ${width}`)
        await seen.context().close()
      }
    }
    await page.goto(`${node.address}${path}/edit/${secret}`)
    await page.getByRole('link', { name: 'Settle it paragraph by paragraph' }).click()
    const link = `${path}/resolve/${secret}`
    t.is(page.url(), node.address + link)
    await check(link)
    const [first, second] = [page.locator('.passage').nth(0), page.locator('.passage').nth(1)]
    await first.getByLabel('Version B').check()
    await second.getByRole('radio', { name: 'Written anew' }).check()
    await second.getByRole('textbox').fill('The council meets, nobody says when.')
    await page.getByRole('button', { name: 'Preview' }).click()
    t.true((await page.locator('.preview').innerText()).includes('closed at five'))
    await page.getByRole('button', { name: 'Save' }).click()
    t.is(page.url(), node.address + path)
    const text = await page.locator('.story').innerText()
    for (const said of ['closed at five', 'Nobody knew.', 'nobody says when'])
      t.true(text.includes(said), said)
    t.is(await page.locator('.note').count(), 0)
    await check(link)

    const root = await setUp(node)
    const ann = await invite(node, root, 'ann', { second: false })
    const group = await makeGroup(ann, 'Pedal radio')
    for (const address of ['', '/members', '/publish']) await check(group.path + address, ann.cookie)
    await check('/account', ann.cookie)
    await root.send(`/moderate/${path.split('/').at(-1) ?? ''}`, { action: 'hide', category: 'untrue' })
    await check(path)
  },
)
