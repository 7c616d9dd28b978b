import test from 'ava'
import * as fc from 'fast-check'
import {
  canonicalBytes,
  hashBytes,
  hashInId,
  makeDocument,
  parseId,
  plainDataProblem,
  proofProblem,
  revisionOf,
} from '../../src/ledger/document.ts'
import type { Edit, Envelope } from '../../src/ledger/document.ts'
import { makeItemId, NETWORK } from '../../src/ledger/item-id.ts'
import { documentProblem } from '../../src/ledger/schema.ts'
import { makeEdit, newKey } from '../helpers/keys.ts'

const node = newKey()
const author = newKey()

const plainValue = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.string({ unit: 'binary' }),
    fc.maxSafeInteger().filter((number) => !Object.is(number, -0)),
    fc.boolean(),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(
      fc.string({ unit: 'grapheme', maxLength: 8 }).filter((name) => name !== '__proto__'),
      tie('value'),
      { maxKeys: 4 },
    ),
  ),
})).value

function shuffled(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shuffled)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([name, entry]) => [name, shuffled(entry)]),
  )
}

test('any order of fields gives one hash', (t) => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), plainValue), (content) => {
      t.deepEqual(canonicalBytes(content), canonicalBytes(shuffled(content) as Record<string, unknown>))
    }),
  )
  t.pass()
})

test('id, revision and hash agree, and a made document proves itself', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), plainValue), async (extra) => {
      const document = makeEdit(node, { author, fields: { extra } })
      const parts = parseId(document._id)
      t.is(parts?.hash, hashBytes(canonicalBytes(document)))
      t.is(parts?.item, document.item)
      t.is(document._rev, `1-${hashInId(document._id).slice(0, 32)}`)
      t.is(document._rev, revisionOf(document._id))
      t.is(documentProblem(document), undefined)
      t.is(await proofProblem(document), undefined)
    }),
    { numRuns: 50 },
  )
})

test('any changed byte fails verification', async (t) => {
  const document = makeEdit(node, { author, fields: { author: 'Ana', summary: 'Short.' } })
  const json = JSON.stringify(document)
  await fc.assert(
    fc.asyncProperty(fc.nat(json.length - 1), fc.integer({ min: 33, max: 126 }), async (at, code) => {
      const altered = json.slice(0, at) + String.fromCharCode(code) + json.slice(at + 1)
      fc.pre(altered !== json)
      let parsed: Envelope
      try {
        parsed = JSON.parse(altered) as Envelope
      } catch {
        return
      }
      const problem = documentProblem(parsed) ?? (await proofProblem(parsed))
      t.truthy(problem, `byte ${at} of ${json} became ${String.fromCharCode(code)}`)
    }),
    { numRuns: 300 },
  )
})

test('another signature, no author signature, or another author is refused', async (t) => {
  const document = makeEdit(node, { author })
  const other = makeEdit(newKey(), { author })
  t.regex((await proofProblem({ ...document, sig: other.sig })) ?? '', /signature of the node/)
  t.regex((await proofProblem({ ...document, authorSig: document.sig })) ?? '', /author's signature/)
  const { authorSig: _, ...stripped } = document
  t.truthy(await proofProblem(stripped as Edit))
  t.truthy(documentProblem(stripped))
})

test('an item’s first edit must be by the key that its id was made for', (t) => {
  const stolen = makeItemId(newKey().publicKey, Date.now())
  t.regex(documentProblem(makeEdit(node, { author, item: stolen })) ?? '', /first edit/)
  const parents = ['a'.repeat(40)]
  t.is(
    documentProblem(makeEdit(node, { author, item: stolen, parents })),
    undefined,
    'whether a later edit counts is judged when projecting',
  )
})

test('numbers, nulls and strings that engines treat differently are refused with the path to them', (t) => {
  t.is(plainDataProblem({ a: [1, 'x', true, { b: '' }] }), undefined)
  t.regex(plainDataProblem({ a: { b: [1.5] } }) ?? '', /a\.b\[0\] is not an integer/)
  t.regex(plainDataProblem({ a: -0 }) ?? '', /a is not an integer/)
  t.regex(plainDataProblem({ a: 2 ** 53 }) ?? '', /a is not an integer/)
  t.regex(plainDataProblem({ a: null }) ?? '', /a is null/)
  t.regex(plainDataProblem({ a: '\ud800' }) ?? '', /not well-formed/)
  t.regex(plainDataProblem({ '\ud800': 1 }) ?? '', /not well-formed/)
  t.regex(plainDataProblem(JSON.parse('{"__proto__":1}')) ?? '', /not a name/)
  t.regex(plainDataProblem(JSON.parse('['.repeat(40) + ']'.repeat(40))) ?? '', /nested/)
  t.throws(() => makeEdit(node, { fields: { extra: Number.NaN } }), { code: 'not_plain_data' })
})

test('a document of a later version needs only the envelope, one of an unknown type is refused', (t) => {
  const later = { ...makeEdit(node, { author }), v: 2, fields: 'something else' }
  t.is(documentProblem(later), undefined)
  t.regex(
    documentProblem({ ...makeEdit(node, { author }), type: 'poem' }) ?? '',
    /not one of a ledger document/,
  )
  t.regex(documentProblem({ ...makeEdit(node, { author }), _attachments: {} }) ?? '', /_attachments/)
})

test('fields of a known kind are checked, unknown ones are kept', (t) => {
  t.regex(
    documentProblem(makeEdit(node, { author, fields: { title: '' } })) ?? '',
    /fields\.title is missing/,
  )
  t.regex(documentProblem(makeEdit(node, { author, fields: { tags: 'x' } })) ?? '', /fields\.tags/)
  t.is(documentProblem(makeEdit(node, { author, fields: { colour: 'red' } })), undefined)
})

test('an admission is made, proven and belongs to the network', async (t) => {
  const draft = { type: 'admission', item: NETWORK, key: newKey().publicKey } as const
  const document = makeDocument(draft, '2026-11-23T07:00:00.000Z-0000', node)
  t.is(documentProblem(document), undefined)
  t.is(await proofProblem(document), undefined)
  t.truthy(documentProblem({ ...document, key: 'short' }))
})
