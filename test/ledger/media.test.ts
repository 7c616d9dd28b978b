import { createHash } from 'node:crypto'
import test from 'ava'
import { makeDocument } from '../../src/ledger/document.ts'
import type { Draft } from '../../src/ledger/document.ts'
import { makeItemId } from '../../src/ledger/item-id.ts'
import { PIECE_BYTES } from '../../src/ledger/manifest.ts'
import { documentProblem } from '../../src/ledger/schema.ts'
import { newKey } from '../helpers/keys.ts'

const node = newKey()
const item = makeItemId(node.publicKey, 0)
const digest = (text: string) => createHash('sha256').update(text).digest('hex')
const FILE = { sha256: digest('a'), bytes: 1, pieces: [digest('a')], type: 'image/jpeg', extension: 'jpg' }

function problem(fields: Record<string, unknown>): string | undefined {
  const draft = { type: 'media', item, ...fields } as unknown as Draft
  return documentProblem(makeDocument(draft, '2026-01-01T00:00:00.000Z-0000', node))
}

test('a media document names one file, or several that were made of another', (t) => {
  t.is(problem({ files: [FILE], name: 'a.jpg', alt: 'A\nb', credit: 'C', licence: 'CC BY 4.0' }), undefined)
  t.is(
    problem({
      of: digest('b'),
      files: [
        { ...FILE, as: 'w320' },
        { ...FILE, as: 'w640' },
      ],
    }),
    undefined,
  )
  t.is(problem({ files: [FILE], later: 'a field of a later version' }), undefined)
  t.regex(problem({ files: [] }) ?? '', /names no file/)
  t.regex(problem({ files: [FILE, FILE] }) ?? '', /several files/)
  t.regex(problem({ of: digest('b'), files: [FILE] }) ?? '', /made as/)
  t.regex(problem({ files: [{ ...FILE, as: 'w320' }] }) ?? '', /made as/)
})

test('a media document says what could be true of a file', (t) => {
  const large = { ...FILE, bytes: PIECE_BYTES + 1 }
  t.is(problem({ files: [{ ...large, pieces: [digest('b'), digest('c')] }] }), undefined)
  t.regex(problem({ files: [large] }) ?? '', /as many pieces/)
  t.regex(problem({ files: [{ ...FILE, pieces: [digest('b')] }] }) ?? '', /another digest/)
  t.regex(problem({ files: [{ ...FILE, pieces: Array(5000).fill(digest('a')) }] }) ?? '', /more than 4096/)
  for (const wrong of [
    { sha256: 'A'.repeat(64) },
    { bytes: 0 },
    { type: 'image/jpeg; charset=x' },
    { extension: '../x' },
    { width: 0 },
    { height: 70_000 },
    { durationMs: -1 },
  ])
    t.truthy(problem({ files: [{ ...FILE, ...wrong }] }), JSON.stringify(wrong))
  t.truthy(problem({ files: [FILE], name: 'a\nb' }))
  t.truthy(problem({ files: [FILE], alt: 'x'.repeat(1001) }))
})
