import { randomBytes } from 'node:crypto'
import { Secret, TOTP } from 'otpauth'
import { hashSecret } from './passwords.ts'

const PERIOD_SECONDS = 30
/** Clocks of telephones are off by seconds: the code before and after counts too (RFC 6238, 5.2). */
const WINDOW = 1
const RECOVERY_CODES = 10

/** A new secret for one-time codes: 160 bits, base32. */
export function newTotpSecret(): string {
  return new Secret({ size: 20 }).base32
}

/** The address that programs for one-time codes read, from a picture or a link. */
export function totpAddress(secret: string, { site, handle }: { site: string; handle: string }): string {
  return totpOf(secret, { issuer: site, label: handle }).toString()
}

/**
 * The time step of a one-time code (RFC 6238), or undefined when the code is wrong or its step was used already.
 *
 * @param used the last time step whose code was taken
 */
export function totpStep(secret: string, code: string, used: number, nowMs = Date.now()): number | undefined {
  const digits = code.replaceAll(/\s/g, '')
  if (!/^\d{6}$/.test(digits)) return undefined
  const delta = totpOf(secret).validate({ token: digits, timestamp: nowMs, window: WINDOW })
  if (delta === null) return undefined
  const step = Math.floor(nowMs / 1000 / PERIOD_SECONDS) + delta
  return step > used ? step : undefined
}

function totpOf(secret: string, names: { issuer?: string; label?: string } = {}): TOTP {
  return new TOTP({
    ...names,
    algorithm: 'SHA1',
    digits: 6,
    period: PERIOD_SECONDS,
    secret: Secret.fromBase32(secret),
  })
}

/** Ten codes that each replace the second factor once, such as "k7d2-9xwm-4tzq-b1nf"; 80 bits each. */
export function newRecoveryCodes(): string[] {
  return Array.from({ length: RECOVERY_CODES }, () => {
    const digits = [...randomBytes(16)].map((byte) => ALPHABET[byte % 32]).join('')
    return digits.replaceAll(/(.{4})(?=.)/g, '$1-')
  })
}

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'

/** What is stored of a recovery code, however it was typed. */
export function hashRecoveryCode(code: string): string {
  return hashSecret(
    code
      .toLowerCase()
      .replaceAll(/[^0-9a-z]/g, '')
      .replaceAll('o', '0')
      .replaceAll(/[il]/g, '1'),
  )
}
