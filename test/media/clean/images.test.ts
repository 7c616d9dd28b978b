import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import test from 'ava'
import sharp from 'sharp'
import { bench, halves, NAME, PLACE, pngSaying, tell, tellsNothing, told, zip } from './fixtures.ts'

async function colourAt(path: string, left: number, top: number): Promise<'red' | 'blue' | 'other'> {
  const { data } = await sharp(path)
    .removeAlpha()
    .extract({ left, top, width: 1, height: 1 })
    .raw()
    .toBuffer({ resolveWithObject: true })
  const [red = 0, , blue = 0] = data
  if (red > 200 && blue < 60) return 'red'
  return blue > 200 && red < 60 ? 'blue' : 'other'
}

test('a photo loses place, names and thumbnail, and stands upright', async (t) => {
  const { folder, clean } = await bench(t)
  await halves(30, 20).jpeg().toFile(join(folder, 'small.jpg'))
  await halves().jpeg({ quality: 95 }).withIccProfile('p3').toFile(join(folder, 'photo.jpg'))
  await tell(
    folder,
    'photo.jpg',
    `-GPSLatitude=${PLACE.latitude}`,
    `-GPSLongitude=${PLACE.longitude}`,
    '-GPSLatitudeRef=N',
    '-GPSLongitudeRef=E',
    `-IPTC:By-line=${NAME}`,
    '-SerialNumber=PRIVATE',
    '-Orientation#=6',
    '-ThumbnailImage<=small.jpg',
  )
  const before = await told(join(folder, 'photo.jpg'))
  t.is(before['IFD0:Artist'], NAME)
  t.truthy(before['IFD1:ThumbnailImage'])
  t.truthy(before['GPS:GPSLatitude'])
  await using file = await clean('photo.jpg')
  t.like(file, { type: 'image/jpeg', extension: 'jpg', width: 40, height: 60 })
  await tellsNothing(t, file.path)
  // Turned by 90 degrees clockwise, what was on the left is on top.
  t.is(await colourAt(file.path, 20, 5), 'red')
  t.is(await colourAt(file.path, 20, 55), 'blue')
  const { space, icc } = await sharp(file.path).metadata()
  t.is(space, 'srgb')
  t.is(icc, undefined)
})

for (const format of ['png', 'webp', 'avif', 'gif'] as const) {
  test(`${format} loses what exiftool and others write into it`, async (t) => {
    const { folder, clean } = await bench(t)
    const name = `picture.${format}`
    await halves().toFormat(format, { lossless: true }).toFile(join(folder, name))
    await tell(folder, name)
    await using file = await clean(name)
    t.deepEqual(
      [file.type, file.width, file.height],
      [format === 'png' || format === 'gif' ? 'image/png' : 'image/webp', 60, 40],
    )
    await tellsNothing(t, file.path)
    t.is(await colourAt(file.path, 5, 5), 'red')
    t.is(await colourAt(file.path, 55, 5), 'blue')
  })
}

test('transparency stays, in PNG and WebP', async (t) => {
  const { folder, clean } = await bench(t)
  const half = { r: 200, g: 0, b: 0, alpha: 0.5 }
  for (const format of ['png', 'webp', 'avif', 'gif'] as const) {
    await sharp({
      create: {
        width: 20,
        height: 20,
        channels: 4,
        background: { ...half, alpha: format === 'gif' ? 0 : 0.5 },
      },
    })
      .toFormat(format)
      .toFile(join(folder, 'glass'))
    await using file = await clean('glass')
    const { hasAlpha } = await sharp(file.path).metadata()
    t.true(hasAlpha, format)
  }
})

test('colours of another profile are converted', async (t) => {
  const { folder, clean } = await bench(t)
  await sharp({ create: { width: 16, height: 16, channels: 3, background: '#ff0000' } })
    .toColourspace('cmyk')
    .jpeg()
    .toFile(join(folder, 'print.jpg'))
  await using file = await clean('print.jpg')
  const { space, channels } = await sharp(file.path).metadata()
  t.deepEqual([space, channels], ['srgb', 3])
})

test('an animation keeps its frames and becomes WebP', async (t) => {
  const { folder, clean } = await bench(t)
  const frames = await Promise.all(
    ['red', 'lime', 'blue'].map((background) =>
      sharp({ create: { width: 12, height: 8, channels: 3, background } })
        .png()
        .toBuffer(),
    ),
  )
  await sharp(frames, { join: { animated: true } })
    .gif({ delay: [100, 100, 100] })
    .toFile(join(folder, 'moves.gif'))
  await using file = await clean('moves.gif')
  t.like(file, { type: 'image/webp', width: 12, height: 8 })
  t.is((await sharp(file.path).metadata()).pages, 3)
})

const frame = (shade: number) =>
  sharp({ create: { width: 4, height: 4, channels: 3, background: { r: shade, g: 255 - shade, b: 0 } } })
    .raw()
    .toBuffer()

test('an animation of a thousand frames is refused', async (t) => {
  const { refused } = await bench(t)
  const frames = Buffer.concat(
    await Promise.all(Array.from({ length: 1000 }, (_, index) => frame((index % 2) * 255))),
  )
  const bomb = await sharp(frames, { raw: { width: 4, height: 4000, channels: 3, pageHeight: 4 } })
    .gif()
    .toBuffer()
  const { code, message } = await refused(bomb)
  t.is(code, 'media_too_large')
  t.regex(message, /1000 frames/)
})

test('a picture of 100,000 by 100,000 pixels is refused before it is decoded', async (t) => {
  const { refused } = await bench(t)
  const { code, message } = await refused(pngSaying(100_000, 100_000))
  t.is(code, 'media_too_large')
  t.regex(message, /100000 × 100000 pixels/)
})

test('a picture that is larger than its memory ends its own process alone', async (t) => {
  const { refused, cleaner, folder, clean } = await bench(t, {
    limits: { imageSide: 200_000, imagePixels: 20_000_000_000, memoryBytes: 400 * 1024 * 1024 },
  })
  const interlaced = pngSaying(30_000, 30_000)
  // Interlaced, so that the whole of it has to be in memory.
  interlaced[28] = 1
  interlaced.writeUInt32BE(crc32(interlaced.subarray(12, 29)), 29)
  const { code } = await refused(interlaced)
  t.regex(code, /^media_(?:too_complex|unreadable)$/)
  await halves().png().toFile(join(folder, 'next.png'))
  await using file = await clean('next.png')
  t.truthy(cleaner)
  t.is(file.type, 'image/png')
})

for (const format of ['jpeg', 'png', 'webp', 'gif', 'avif'] as const) {
  test(`a ${format} that is cut off is refused`, async (t) => {
    const { refused } = await bench(t)
    const noise = { type: 'gaussian', mean: 128, sigma: 60 } as const
    const whole = await sharp({
      create: { width: 200, height: 200, channels: 3, noise, background: '#888888' },
    })
      .toFormat(format)
      .toBuffer()
    const { code } = await refused(whole.subarray(0, Math.floor(whole.length * 0.6)))
    t.is(code, 'media_unreadable')
  })
}

test('what is hidden behind a picture stays behind', async (t) => {
  const { folder, clean } = await bench(t)
  const archive = zip({ 'evil.js': 'PRIVATE', 'META-INF/MANIFEST.MF': 'PRIVATE' })
  const script = Buffer.from('<script>alert("PRIVATE")</script><?php system("PRIVATE") ?>')
  for (const format of ['jpeg', 'png', 'gif', 'webp'] as const) {
    const picture = await halves().toFormat(format).toBuffer()
    await writeFile(join(folder, 'both'), Buffer.concat([picture, script, archive]))
    await using file = await clean('both')
    const bytes = await readFile(file.path)
    t.false(
      bytes.includes('PRIVATE') || bytes.includes('<script') || bytes.includes('PK\u0003\u0004'),
      format,
    )
  }
})

test('a script in the comment of a picture is gone', async (t) => {
  const { folder, clean } = await bench(t)
  const gif = await halves().gif().toBuffer()
  const comment = Buffer.from('*/=1;alert("PRIVATE")//')
  const block = Buffer.concat([Buffer.from([0x21, 0xfe, comment.length]), comment, Buffer.from([0])])
  await writeFile(join(folder, 'script.gif'), Buffer.concat([gif.subarray(0, -1), block, gif.subarray(-1)]))
  await using file = await clean('script.gif')
  await tellsNothing(t, file.path)
})

test('the original is gone, and disposing takes the clean file too', async (t) => {
  const { folder, work, clean } = await bench(t)
  await halves().png().toFile(join(folder, 'a.png'))
  const file = await clean('a.png')
  t.deepEqual(await readdir(folder), ['work'])
  t.deepEqual(await readdir(work), [file.path.slice(work.length + 1)])
  await file[Symbol.asyncDispose]()
  t.deepEqual(await readdir(work), [])
})
