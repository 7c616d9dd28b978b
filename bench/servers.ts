import { execFile } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { freePort, ServerProcess } from '../test/helpers/server-process.ts'

const run = promisify(execFile)

/** A server to measure beside ours; disposing it ends it. */
export interface BenchServer extends AsyncDisposable {
  readonly address: string
}

/** Node's own server, or Koa, that answers everything with a file's bytes. */
export async function bareServer(kind: 'http' | 'koa', file: string): Promise<BenchServer> {
  const port = await freePort()
  const program = join(import.meta.dirname, 'bare-server.ts')
  const args = ['--disable-warning=ExperimentalWarning', program, kind, file, String(port)]
  return served(process.execPath, { args, port })
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
  return served('nginx', { args: ['-e', join(folder, 'error.log'), '-c', file], port })
}

async function served(
  command: string,
  { args, port }: { args: readonly string[]; port: number },
): Promise<BenchServer> {
  const address = `http://127.0.0.1:${port}`
  const answers = () => fetch(address).then(() => true)
  const server = new ServerProcess({ command, args, answers })
  await server.start()
  return { address, [Symbol.asyncDispose]: () => server.stop() }
}

/**
 * Requests a second that a server answers to wrk, which asks on 32 connections for so many seconds.
 *
 * @param script a file in Lua that says what wrk asks for
 */
export async function load(url: string, seconds: number, script?: string): Promise<number> {
  const asking = script === undefined ? [] : ['-s', script]
  const { stdout } = await run('wrk', ['-t1', '-c32', '--timeout', '30s', `-d${seconds}s`, ...asking, url])
  if (/Non-2xx|Socket errors/.test(stdout)) throw new Error(`not all requests were answered:\n${stdout}`)
  return Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1] ?? 0)
}
