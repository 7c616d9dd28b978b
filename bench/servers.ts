import { execFile, spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { until } from '../test/helpers/wait.ts'

const run = promisify(execFile)

/** A server to measure beside ours; disposing it ends it. */
export interface BenchServer extends AsyncDisposable {
  readonly address: string
}

/** Node's own server, or Koa, that answers everything with a file's bytes. */
export async function bareServer(kind: 'http' | 'koa', file: string): Promise<BenchServer> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'bare-server.ts'), kind, file], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, NODE_OPTIONS: '--disable-warning=ExperimentalWarning' },
  })
  const [port] = (await once(createInterface({ input: child.stdout }), 'line')) as [string]
  return served(child, `http://127.0.0.1:${port}`)
}

/** nginx with one worker that answers from a folder, by the given lines of its `location /`. */
export async function nginxServer(folder: string, location: string): Promise<BenchServer> {
  await mkdir(folder, { recursive: true })
  const port = await freePort()
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  // Its worker would be another user, who may not read the folder.
  const user = process.getuid?.() === 0 ? 'user root;' : ''
  const config = `daemon off; ${user} worker_processes 1; pid ${folder}/pid; error_log ${folder}/error.log;
events { worker_connections 1024; }
http {
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000000;
  types { text/html html; }
  ${temporary.map((name) => `${name}_temp_path ${folder}/${name};`).join(' ')}
  server { listen 127.0.0.1:${port}; location / { ${location} } }
}`
  const file = join(folder, 'nginx.conf')
  await writeFile(file, config)
  const child = spawn('nginx', ['-e', join(folder, 'error.log'), '-c', file], { stdio: 'inherit' })
  const address = `http://127.0.0.1:${port}`
  await until('nginx answers', () => fetch(address).then(() => true))
  return served(child, address)
}

function served(child: ChildProcess, address: string): BenchServer {
  return {
    address,
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null) return
      const ended = once(child, 'exit')
      child.kill('SIGTERM')
      await ended
    },
  }
}

async function freePort(): Promise<number> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const bound = server.address()
  server.close()
  await once(server, 'close')
  return typeof bound === 'object' && bound !== null ? bound.port : 0
}

/** Requests a second that a server answers to wrk, which asks on 32 connections for so many seconds. */
export async function load(url: string, seconds: number): Promise<number> {
  const { stdout } = await run('wrk', ['-t1', '-c32', '--timeout', '30s', `-d${seconds}s`, url])
  if (/Non-2xx|Socket errors/.test(stdout)) throw new Error(`not all requests were answered:\n${stdout}`)
  return Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1] ?? 0)
}
