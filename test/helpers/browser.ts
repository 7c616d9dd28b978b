import { existsSync } from 'node:fs'
import type { ExecutionContext } from 'ava'
import { chromium } from 'playwright-core'
import type { Browser } from 'playwright-core'

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
