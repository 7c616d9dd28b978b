import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { RequestListener } from 'node:http'
import { argv } from 'node:process'
import Koa from 'koa'

/** The least that a server can do: one file's bytes, whatever is asked. Arguments: "http" or "koa", the file, the port. */
const [, , kind = '', file = '', port = ''] = argv
const body = await readFile(file)
const type = 'text/html; charset=utf-8'

function bare(): RequestListener {
  return (_, response) => {
    response.writeHead(200, { 'Content-Type': type, 'Content-Length': body.length }).end(body)
  }
}

function koa(): RequestListener {
  const app = new Koa()
  app.use((ctx) => {
    ctx.type = type
    ctx.body = body
  })
  return app.callback()
}

createServer(kind === 'koa' ? koa() : bare()).listen(Number(port), '127.0.0.1')
