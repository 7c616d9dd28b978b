import { HyperactiveError } from '../../errors.ts'
import type { Wording } from '../../i18n/wording.ts'
import type { Channel, Notice } from './notices.ts'

const LONGEST_MS = 30_000
const OWN_MACHINE = new Set(['localhost', '127.0.0.1', '[::1]'])

export interface MailOptions {
  /** smtp:// or smtps://, with name and password where the server asks for them. */
  server: string
  from: string
  to: readonly string[]
  site: string
  /** The moderators' page. */
  office: string
  wording: Wording
  timeoutMs?: number
}

/** Sends notices by mail. Passwords travel encrypted, or not at all, apart from those for a server on this machine. */
export function mail({
  server,
  from,
  to,
  site,
  office,
  wording,
  timeoutMs = LONGEST_MS,
}: MailOptions): Channel {
  const { hostname, username, password } = new URL(server)
  const isSecret = username !== '' || password !== ''
  return {
    name: 'mail',
    async send(notice, signal) {
      // Most nodes send none.
      const { createTransport } = await import('nodemailer')
      const transport = createTransport(
        {
          url: server,
          // Otherwise the server is told what this machine is called.
          name: new URL(office).hostname,
          requireTLS: isSecret && !OWN_MACHINE.has(hostname),
          connectionTimeout: timeoutMs,
          greetingTimeout: timeoutMs,
          socketTimeout: timeoutMs,
          disableFileAccess: true,
          disableUrlAccess: true,
        },
        {},
      )
      const { promise: ended, reject } = Promise.withResolvers<never>()
      const onStop = () => reject(failed('the time was up'))
      const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)])
      limit.addEventListener('abort', onStop, { once: true })
      try {
        const message = { from, to: [...to], ...written(notice, { site, office, wording }) }
        // A server that takes it for some of the recipients has taken it: those would get it again and again.
        await Promise.race([transport.sendMail(message), ended])
      } catch (error) {
        // What the server said may hold addresses: only the kind of failure is told.
        const { code = 'unknown' } = error as { code?: string }
        throw error instanceof HyperactiveError ? error : failed(code)
      } finally {
        limit.removeEventListener('abort', onStop)
        transport.close()
      }
    },
  }
}

function written(
  { waiting, reported, matched }: Notice,
  { site, office, wording: { t } }: Pick<MailOptions, 'site' | 'office' | 'wording'>,
): { subject: string; text: string } {
  const lines = [
    ...(waiting > 0 ? [t('office.waiting', { count: waiting })] : []),
    ...(reported > 0 ? [t('office.reported', { count: reported })] : []),
    ...(matched > 0 ? [t('queue.matched', { count: matched })] : []),
  ]
  return {
    subject: `${site}: ${t('notices.subject')}`,
    text: `${lines.join('\n')}\n\n${office}\n\n${t('notices.why')}\n`,
  }
}

function failed(what: string): HyperactiveError {
  return new HyperactiveError('mail_failed', `the mail server did not take a notice: ${what}`, {
    status: 502,
  })
}
