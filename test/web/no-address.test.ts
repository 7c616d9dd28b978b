import { glob, readFile } from 'node:fs/promises'
import test from 'ava'

/** Ways to learn who asks: the connection's other end, and what proxies say of it. */
const ADDRESS =
  /remoteAddress|remotePort|x-forwarded|forwarded-for|x-real-ip|cf-connecting|\bctx\.ips?\b|\bproxy\s*[:=]\s*true/i

test('no source asks for anybody’s address', async (t) => {
  let files = 0
  for await (const file of glob('src/**/*.{ts,njk}')) {
    files += 1
    t.notRegex(await readFile(file, 'utf8'), ADDRESS, file)
  }
  t.true(files > 200)
  t.regex('ctx.req.socket.remoteAddress', ADDRESS)
})
