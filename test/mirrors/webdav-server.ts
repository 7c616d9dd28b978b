import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import type { MirrorSecrets, WebdavMirror } from '../../src/config/mirrors.ts'
import { testFolder } from '../helpers/folder.ts'
import { freePort, ServerProcess } from '../helpers/server-process.ts'

const NGINX = '/usr/sbin/nginx'
const LISTING_MODULE = '/usr/lib/nginx/modules/ngx_http_dav_ext_module.so'
const PASSWORD = 'a password with "signs" and ü'

export interface WebdavServer {
  mirror: WebdavMirror
  secrets: Record<string, MirrorSecrets>
  folder: string
  /** What was asked of it, in order: "PUT /site/index.html 201". */
  requests(): Promise<string[]>
  start(): Promise<void>
  stop(): Promise<void>
}

/**
 * A real nginx that takes files. Without `listing` it is one that knows PUT and DELETE alone, and makes folders by
 * itself.
 */
export async function startWebdavServer(
  t: ExecutionContext,
  { listing }: { listing: boolean },
): Promise<WebdavServer> {
  if (!existsSync(LISTING_MODULE))
    throw new Error(`${LISTING_MODULE} is not there; install libnginx-mod-http-dav-ext`)
  const own = await testFolder(t)
  const folder = join(own, 'files/site')
  await mkdir(folder, { recursive: true })
  const port = await freePort()
  const log = join(own, 'access.log')
  await writeFile(log, '')
  await writeFile(join(own, 'passwords'), `editor:{PLAIN}${PASSWORD}\n`)
  const dav = listing
    ? 'dav_methods PUT DELETE MKCOL; dav_ext_methods PROPFIND OPTIONS;'
    : 'dav_methods PUT DELETE; create_full_put_path on; limit_except GET PUT DELETE { deny all; }'
  const config = `
${listing ? `load_module ${LISTING_MODULE};` : ''}
pid ${join(own, 'pid')};
worker_processes 1;
events {}
http {
  log_format tests '$request_method $uri $status';
  access_log ${log} tests;
  client_body_temp_path ${join(own, 'body')};
  proxy_temp_path ${join(own, 'proxy')};
  fastcgi_temp_path ${join(own, 'fastcgi')};
  uwsgi_temp_path ${join(own, 'uwsgi')};
  scgi_temp_path ${join(own, 'scgi')};
  server {
    listen 127.0.0.1:${port};
    root ${join(own, 'files')};
    location / {
      auth_basic "mirror";
      auth_basic_user_file ${join(own, 'passwords')};
      client_max_body_size 100k;
      dav_access user:rw group:r all:r;
      ${dav}
    }
  }
}
`
  await writeFile(join(own, 'nginx.conf'), config)
  // As root it would become somebody who may not enter the folder of the test.
  const user = process.getuid?.() === 0 ? ' user root;' : ''
  const server = new ServerProcess({
    command: NGINX,
    args: [
      '-p',
      own,
      '-c',
      join(own, 'nginx.conf'),
      '-e',
      join(own, 'error.log'),
      '-g',
      `daemon off;${user}`,
    ],
    answers: async () => (await fetch(`http://127.0.0.1:${port}/`)).status === 401,
    said: () => readFile(join(own, 'error.log'), 'utf8'),
  })
  t.teardown(() => server.stop())
  await server.start()
  return {
    folder,
    mirror: {
      name: 'dav',
      kind: 'webdav',
      url: `http://127.0.0.1:${port}/site`,
      mkcol: listing,
      username: 'editor',
    },
    secrets: { dav: { password: PASSWORD } },
    async requests() {
      const lines = (await readFile(log, 'utf8')).trim().split('\n')
      return lines.filter((line) => line !== '' && line !== 'GET / 401')
    },
    start: () => server.start(),
    stop: () => server.stop(),
  }
}
