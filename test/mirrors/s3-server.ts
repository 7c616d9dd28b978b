import type { IncomingMessage } from 'node:http'
import type { ExecutionContext } from 'ava'
import S3rver from 's3rver'
import type { MirrorSecrets, S3Mirror } from '../../src/config/mirrors.ts'
import { testFolder } from '../helpers/folder.ts'
import { isSigned } from './signature.ts'

/** The one that it knows, and its secret. */
const KEY = 'S3RVER'

export interface S3Server {
  mirror: S3Mirror
  secrets: Record<string, MirrorSecrets>
  /** What was asked of it, in order: "PUT /bucket/site/index.html". */
  requests: string[]
  /** What was asked with a signature that is not right. */
  badlySigned: string[]
  address: string
}

/** A real server of S3's protocol. */
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
  const badlySigned: string[] = []
  server.httpServer.prependListener('request', (request: IncomingMessage) => {
    const line = `${request.method} ${request.url}`
    requests.push(line)
    if (request.headers.authorization !== undefined && !isSigned(request, KEY)) badlySigned.push(line)
  })
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
    secrets: { bucket: { accessKeyId: KEY, secretAccessKey: KEY } },
    requests,
    badlySigned,
    address: `http://127.0.0.1:${port}`,
  }
}
