/** Makes a small JPEG of a picture that the cleaner has written. */
import sharp from 'sharp'

const SIDE = 320
const [from = '', to = ''] = process.argv.slice(2)

await sharp(from, { limitInputPixels: 150_000_000 })
  .resize({ width: SIDE, height: SIDE, fit: 'inside', withoutEnlargement: true })
  .flatten({ background: '#ffffff' })
  .jpeg({ quality: 75 })
  .toFile(to)
