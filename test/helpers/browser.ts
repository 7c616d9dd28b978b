import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { ExecutionContext } from 'ava'
import { chromium } from 'playwright-core'
import type { Browser, Page } from 'playwright-core'

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const EXECUTABLE = '/usr/bin/chromium'
// The background flags: this browser is to ask nobody for anything but the pages under test.
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** Whether Debian's chromium is on this machine; says so loudly when it is not. */
export function hasBrowser(): boolean {
  if (existsSync(EXECUTABLE)) return true
  process.stderr.write(`\n!!! ${EXECUTABLE} is not installed: the tests in a browser are SKIPPED !!!\n\n`)
  return false
}

/** A real browser, closed with the test. */
export async function startBrowser(t: ExecutionContext): Promise<Browser> {
  const browser = await chromium.launch({ executablePath: EXECUTABLE, args: FLAGS })
  t.teardown(() => browser.close())
  return browser
}

/** What breaks WCAG 2.2 AA on a page, as axe-core sees it. */
export async function violations(page: Page): Promise<string[]> {
  await page.evaluate(AXE)
  const found = await page.evaluate(async () => {
    const { axe } = globalThis as unknown as {
      axe: { run: (options: object) => Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> }
    }
    const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']
    return (await axe.run({ runOnly: { type: 'tag', values: tags } })).violations
  })
  return found.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(' ')}`)
}
