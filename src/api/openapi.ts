import { z } from 'zod'
import { allKinds } from '../kinds/base/registry.ts'
import { API, OPERATIONS } from './operations.ts'
import type { Operation } from './operations.ts'
import { errorSchema } from './models.ts'

/** The API's description: OpenAPI 3.1, with JSON Schemas of everything that is sent and answered. */
export function describeApi({ name, url }: { name: string; url: string }): object {
  const paths: Record<string, Record<string, object>> = {}
  for (const operation of Object.values<Operation>(OPERATIONS)) {
    const path = operation.path.replaceAll(/:(\w+)/g, '{$1}')
    paths[path] = { ...paths[path], [operation.method]: describe(operation) }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: `${name}: API`,
      version: '1',
      description:
        'Reads and publishes as the pages do, without an account. No address of a client is kept. Every node answers the same; what is published on one is on the others within moments.',
    },
    servers: [{ url: url + API }],
    paths,
    components: {
      securitySchemes: {
        secret: { type: 'http', scheme: 'bearer', description: 'The secret that publishing the item gave.' },
      },
      schemas: Object.fromEntries(
        allKinds().map((kind) => [`fields of ${kind.name}`.replaceAll(' ', '-'), schemaOf(kind.schema)]),
      ),
    },
  }
}

function describe(operation: Operation): object {
  const { method, path, summary, query = {}, body, status, answer, secret, takesFile } = operation
  const inPath = [...path.matchAll(/:(\w+)/g)].map(([, parameter]) => ({
    name: parameter,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }))
  const inQuery = Object.entries(query).map(([parameter, description]) => ({
    name: parameter,
    in: 'query',
    description,
    schema: { type: 'string' },
  }))
  const header = {
    name: 'Idempotency-Key',
    in: 'header',
    schema: { type: 'string', minLength: 22, maxLength: 200 },
  }
  return {
    summary,
    operationId: `${method} ${path}`.replaceAll(/[^a-zA-Z]+(\w?)/g, (_, next: string) => next.toUpperCase()),
    parameters: [...inPath, ...inQuery, ...(method === 'post' && path === '/items' ? [header] : [])],
    ...(secret ? { security: [{ secret: [] }] } : {}),
    ...(body ? { requestBody: { required: true, content: json(body) } } : {}),
    ...(takesFile
      ? { requestBody: { required: true, content: { 'application/octet-stream': { schema: {} } } } }
      : {}),
    responses: {
      [status]: { description: 'As asked', content: json(answer) },
      ...(method === 'post'
        ? {
            403: {
              description: 'It may not be done; `challenge_missing` asks for `challenge` and `work`',
              content: json(errorSchema),
            },
            429: {
              description: 'There is too much of this at the moment',
              headers: { 'Retry-After': { description: 'Seconds', schema: { type: 'integer' } } },
              content: json(errorSchema),
            },
          }
        : {}),
      default: { description: 'What went wrong', content: json(errorSchema) },
    },
  }
}

function json(schema: z.ZodType): object {
  return { 'application/json': { schema: schemaOf(schema) } }
}

function schemaOf(schema: z.ZodType): object {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: 'input' })
  return rest
}
