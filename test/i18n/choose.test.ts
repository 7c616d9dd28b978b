import test from 'ava'
import * as fc from 'fast-check'
import { chooseLanguage, languageInPath } from '../../src/i18n/choose.ts'
import { directionOf } from '../../src/i18n/direction.ts'
import { isLanguage } from '../../src/i18n/messages.ts'
import { wordingOf } from '../../src/i18n/wording.ts'

test('the language that suits a browser best is chosen', (t) => {
  for (const [header, language] of [
    ['es', 'es'],
    ['es-AR,es;q=0.9,en;q=0.8', 'es'],
    ['en;q=0.3, de-CH;q=0.8', 'de'],
    ['pt-BR, fr;q=0.5', 'fr'],
    ['AR', 'ar'],
    ['es;q=0, en', 'en'],
    ['pt', 'de'],
    ['', 'de'],
    ['*', 'de'],
    ['q=1;;;,,,=', 'de'],
  ] as const)
    t.is(chooseLanguage(header, 'de-AT'), language, header)
  t.is(chooseLanguage('', 'tlh'), 'en')
  fc.assert(fc.property(fc.string({ maxLength: 200 }), (header) => isLanguage(chooseLanguage(header, 'en'))))
})

test('an address may begin with a language', (t) => {
  t.deepEqual(languageInPath('/es/newswire'), { language: 'es', rest: '/newswire' })
  t.deepEqual(languageInPath('/ar'), { language: 'ar', rest: '/' })
  t.deepEqual(languageInPath('/ar/'), { language: 'ar', rest: '/' })
  for (const path of ['/', '/newswire', '/pt/newswire', '/est', '/ES/newswire'])
    t.is(languageInPath(path), undefined, path)
})

test('numbers choose the form, and what a language lacks is said in English', (t) => {
  const { t: english } = wordingOf('en')
  t.is(english('comments.count', { count: 1 }), '1 comment')
  t.is(english('comments.count', { count: 2_000 }), '2,000 comments')
  const arabic = wordingOf('ar').t
  const said = [0, 1, 2, 3, 11, 100].map((count) => arabic('comments.count', { count }))
  t.is(new Set(said.map((text) => text.replaceAll(/[\d٠-٩]/g, ''))).size >= 4, true, said.join(' | '))
  t.is(wordingOf('fr').t('no.such.message'), 'no.such.message')
  t.is(wordingOf('es').moment('2026-10-03T18:20:00.000Z-0000').text, '3 de octubre de 2026 a las 18:20 UTC')
})

test('scripts have their direction', (t) => {
  for (const language of ['ar', 'fa', 'he', 'ur', 'ku-Arab', 'az-Arab'])
    t.is(directionOf(language), 'rtl', language)
  for (const language of ['en', 'ku', 'zh-Hant', 'x']) t.is(directionOf(language), 'ltr', language)
})
