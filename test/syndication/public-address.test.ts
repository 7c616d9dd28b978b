import test from 'ava'
import * as fc from 'fast-check'
import { isPublicAddress } from '../../src/syndication/public-address.ts'

/** What IANA's registries of special-purpose addresses name (RFC 6890 and after), and multicast. */
const NOT_PUBLIC_4: [first: number[], prefix: number][] = [
  [[0, 0, 0, 0], 8],
  [[10, 0, 0, 0], 8],
  [[100, 64, 0, 0], 10],
  [[127, 0, 0, 0], 8],
  [[169, 254, 0, 0], 16],
  [[172, 16, 0, 0], 12],
  [[192, 0, 0, 0], 24],
  [[192, 0, 2, 0], 24],
  [[192, 88, 99, 0], 24],
  [[192, 168, 0, 0], 16],
  [[198, 18, 0, 0], 15],
  [[198, 51, 100, 0], 24],
  [[203, 0, 113, 0], 24],
  [[224, 0, 0, 0], 4],
  [[240, 0, 0, 0], 4],
]

const PUBLIC_4 = [
  '1.1.1.1',
  '8.8.8.8',
  '100.63.255.255',
  '100.128.0.0',
  '172.15.255.255',
  '172.32.0.0',
  '223.255.255.255',
]

const inNotPublic4 = fc
  .tuple(fc.constantFrom(...NOT_PUBLIC_4), fc.integer({ min: 0, max: 2 ** 32 - 1 }))
  .map(([[first, prefix], random]) => {
    const start = first.reduce((number, byte) => number * 256 + byte, 0)
    const number = start + (random % 2 ** (32 - prefix))
    return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256)
  })

const words = (bytes: number[]) =>
  `${((bytes[0] ?? 0) * 256 + (bytes[1] ?? 0)).toString(16)}:${((bytes[2] ?? 0) * 256 + (bytes[3] ?? 0)).toString(16)}`

test('no address of a special range is public, in whatever form', (t) => {
  fc.assert(
    fc.property(inNotPublic4, (bytes) => {
      const text = bytes.join('.')
      const forms = [
        text,
        `::ffff:${text}`,
        `::${text}`,
        `64:ff9b::${text}`,
        `64:ff9b:1::${text}`,
        `2002:${words(bytes)}::1`,
        `2001::${words(bytes)}`,
      ]
      for (const form of forms) if (isPublicAddress(form)) throw new Error(`${form} counts as public`)
    }),
    { numRuns: 1000 },
  )
  t.pass()
})

test('public addresses are', (t) => {
  for (const address of PUBLIC_4) t.true(isPublicAddress(address), address)
  for (const address of ['2606:4700::1111', '2a00:1450:4001::8a', '64:ff9b::8.8.8.8', '64:ff9b::808:808'])
    t.true(isPublicAddress(address), address)
})

test('what else is not public unicast is not', (t) => {
  const others = [
    '::',
    '::1',
    '::ffff:8.8.8.8',
    '::8.8.8.8',
    '64:ff9b:1::808:808',
    '100::1',
    '2001::1',
    '2001:db8::1',
    '2001:2::1',
    '2001:10::1',
    '2001:20::1',
    '2002:808:808::1',
    '3fff::1',
    '4000::1',
    '5f00::1',
    'fc00::1',
    'fd00:ec2::254',
    'fe80::1',
    'fe80::1%lo',
    '2606:4700::1111%lo',
    'fec0::1',
    'ff02::1',
    '169.254.169.254',
    '168.63.129.16',
    '64:ff9b::168.63.129.16',
    '255.255.255.255',
    '127.1',
    '0x7f.0.0.1',
    '2130706433',
    '',
    'localhost',
  ]
  for (const address of others) t.false(isPublicAddress(address), address)
})
