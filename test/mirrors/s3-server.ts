import type { ExecutionContext } from 'ava'
import S3rver from 's3rver'
import type { MirrorSecrets, S3Mirror } from '../../src/config/mirrors.ts'
import { testFolder } from '../helpers/folder.ts'

export interface S3Server {
  mirror: S3Mirror
  secrets: Record<string, MirrorSecrets>
  /** What was asked of it, in order: "PUT /bucket/site/index.html". */
  requests: string[]
  address: string
}

/** A real server of S3's protocol, which checks signatures. */
export async function startS3Server(t: ExecutionContext, mirror: Partial<S3Mirror> = {}): Promise<S3Server> {
  const server = new S3rver({
    address: '127.0.0.1',
    port: 0,
    silent: true,
    directory: await testFolder(t),
    serviceEndpoint: 'localhost',
    configureBuckets: [{ name: 'bucket' }],
  })
  const { port } = await server.run()
  t.teardown(() => server.close())
  const requests: string[] = []
  server.httpServer.on('request', ({ method = '', url = '' }: { method?: string; url?: string }) =>
    requests.push(`${method} ${url}`),
  )
  return {
    mirror: {
      name: 'bucket',
      kind: 's3',
      endpoint: `http://127.0.0.1:${port}`,
      bucket: 'bucket',
      prefix: 'site/',
      style: 'path',
      ...mirror,
    },
    secrets: { bucket: { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' } },
    requests,
    address: `http://127.0.0.1:${port}`,
  }
}
