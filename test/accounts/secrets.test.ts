import test from 'ava'
import * as fc from 'fast-check'
import { Attempts } from '../../src/accounts/attempts.ts'
import {
  hashRecoveryCode,
  newRecoveryCodes,
  newTotpSecret,
  totpAddress,
  totpStep,
} from '../../src/accounts/one-time-codes.ts'
import { hashPassword, isPassword, passwordProblem } from '../../src/accounts/passwords.ts'
import { codeOf } from '../helpers/people.ts'

test('a password is kept as argon2id with its salt, and recognised', async (t) => {
  const stored = await hashPassword('correct horse battery')
  t.regex(stored, /^\$argon2id\$v=19\$m=47104,t=1,p=1\$[^$]{22}\$[^$]{43}$/)
  t.not(await hashPassword('correct horse battery'), stored)
  t.true(await isPassword('correct horse battery', stored))
  t.false(await isPassword('correct horse batterz', stored))
  t.false(await isPassword('', stored))
  t.false(await isPassword('correct horse battery', undefined))
  t.false(await isPassword('', ''))
  t.false(await isPassword('x', '$argon2id$v=19$m=9,t=1,p=1$x'))
  // The same letters in another Unicode form are the same password.
  t.true(await isPassword('cafe\u0301 cafe\u0301 cafe', await hashPassword('caf\u00e9 caf\u00e9 cafe')))
})

test('new passwords are long, and not what is guessed first', (t) => {
  for (const good of ['correct horse battery', 'zwölf Zeichen?', 'ten tiny kites fly'])
    t.is(passwordProblem(good), undefined)
  t.is(passwordProblem('elevenchars'), 'short')
  t.is(passwordProblem('x'.repeat(201)), 'long')
  for (const guessed of [
    'aaaaaaaaaaaa',
    'password1234',
    'passwordpassword',
    'qwertyqwerty123',
    '123456123456',
  ])
    t.is(passwordProblem(guessed), 'guessable', guessed)
  t.is(passwordProblem('adalovelace1', 'adalovelace'), 'guessable')
  fc.assert(fc.property(fc.string({ maxLength: 400 }), (any) => void passwordProblem(any, any)))
})

test('a one-time code counts once, around its time', (t) => {
  const secret = newTotpSecret()
  const nowMs = Date.now()
  const code = codeOf(secret)
  const step = totpStep(secret, code, 0, nowMs)
  t.is(typeof step, 'number')
  t.is(totpStep(secret, code, step ?? 0, nowMs), undefined, 'not twice')
  t.is(totpStep(secret, code, 0, nowMs + 5 * 60_000), undefined, 'not minutes later')
  for (const wrong of ['', '12345', '1234567', 'abcdef', '<b>']) t.is(totpStep(secret, wrong, 0), undefined)
  t.regex(totpAddress(secret, { site: 'A & B', handle: 'ada' }), /^otpauth:\/\/totp\/A%20%26%20B:ada\?/)
})

// The algorithm is held to the values of RFC 6238, appendix B.
test('one-time codes are those of RFC 6238', (t) => {
  const secret = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ'
  t.is(totpStep(secret, '287082', 0, 59_000), 1)
  t.is(totpStep(secret, '081804', 0, 1_111_111_109_000), 37_037_036)
  t.is(totpStep(secret, '005924', 0, 1_234_567_890_000), 41_152_263)
})

test('recovery codes are ten, random, and the same however they are typed', (t) => {
  const codes = newRecoveryCodes()
  t.is(new Set(codes).size, 10)
  for (const code of codes) {
    t.regex(code, /^[0-9a-z]{4}(-[0-9a-z]{4}){3}$/)
    t.is(hashRecoveryCode(code.toUpperCase().replaceAll('-', ' ')), hashRecoveryCode(code))
  }
})

test('wrong attempts wait ever longer, also for handles that nobody has and all at once, and are forgotten', (t) => {
  const attempts = new Attempts()
  for (let count = 0; count < 5; count += 1) attempts.begin('ada', 0)
  t.throws(() => attempts.begin('ada', 999), { code: 'too_many_attempts' })
  attempts.begin('ada', 1000)
  t.throws(() => attempts.check('ada', 2999), { code: 'too_many_attempts' })
  for (let count = 0; count < 20; count += 1) attempts.begin('ada', 10_000 + count * 60_000)
  t.like(
    t.throws(() => attempts.check('ada', 10_000 + 19 * 60_000)),
    { retryAfterSeconds: 60 },
  )
  attempts.check('bob', 10_000)
  attempts.succeeded('ada')
  attempts.check('ada', 10_000)
})
