import { Router } from '@koa/router'
import test from 'ava'
import { createPages } from '../../src/web/app.ts'
import type { WebContext } from '../../src/web/context.ts'
import { PageRouter } from '../../src/web/page-router.ts'
import { newKey } from '../helpers/keys.ts'

const nothing = () => undefined

/** As the router does that knows no short way. */
const plain = (router: Router, path: string, method: string) =>
  Router.prototype.match.call(router, path, method)

test('a page is found by the same routes as without the short way, for every address', (t) => {
  const router = createPages({ nodeKey: newKey(), config: {}, media: {} } as unknown as WebContext)
  const paths = router.stack.map(({ path }) => String(path).replaceAll(/:\w+|\{\*\w+\}/g, 'x'))
  t.true(paths.length > 100)
  const variants = paths.flatMap((path) => [path, `${path}/`, `${path}/x`, path.toUpperCase(), `/x${path}`])
  const odd = [
    '',
    '/',
    '//',
    'x',
    '/%6eewswire',
    '/newswire%2F',
    '/Newswire',
    '/*',
    '/__proto__',
    '/new swire',
  ]
  for (const path of [...variants, ...odd])
    for (const method of ['GET', 'HEAD', 'POST', 'PUT'])
      t.deepEqual(router.match(path, method), plain(router, path, method), `${method} ${path}`)
})

test('routes that come later, and those of all addresses, keep their place', (t) => {
  const router = new PageRouter({ sensitive: true })
  router.get('/a{/:more}', nothing)
  router.all('/:any', nothing)
  t.is(router.match('/a', 'GET').path.length, 2)
  router.get('/a', nothing)
  router.use(nothing)
  router.get(/^\/[ab]$/, nothing)
  for (const path of ['/a', '/a/b', '/b', '/c/d', '/'])
    t.deepEqual(router.match(path, 'GET'), plain(router, path, 'GET'), path)
})
