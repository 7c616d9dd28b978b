import { Readable } from 'node:stream'
import type { ParameterizedContext } from 'koa'

/**
 * Answers with a list of rows that comes in pages. A short answer goes out whole; a long one is streamed, so that it
 * never lies in memory at once.
 *
 * @param name the list's name in the answer
 * @param pages read as the client takes them; what the first one throws is still answered as an error
 * @param rest the answer's other members, asked for at the end
 */
export async function answerRows(
  ctx: ParameterizedContext,
  name: string,
  pages: AsyncGenerator<object[]>,
  rest: () => object,
): Promise<void> {
  const first = (await pages.next()).value as object[] | undefined
  const second = (await pages.next()).value as object[] | undefined
  if (!second) {
    ctx.body = { ...rest(), [name]: first ?? [] }
    return
  }
  ctx.type = 'application/json'
  ctx.body = Readable.from(jsonText(name, [first ?? [], second], pages, rest))
}

/** The answer as text, in pieces: first the rows, then the rest, of which there must be some. */
export async function* jsonText(
  name: string,
  readAlready: object[][],
  pages: AsyncIterable<object[]>,
  rest: () => object,
): AsyncGenerator<string> {
  yield `{"${name}":[\n`
  let separator = ''
  for await (const page of chain(readAlready, pages)) {
    if (page.length === 0) continue
    yield separator + page.map((row) => JSON.stringify(row)).join(',\n')
    separator = ',\n'
  }
  yield `\n],${JSON.stringify(rest()).slice(1)}\n`
}

async function* chain(first: object[][], then: AsyncIterable<object[]>): AsyncGenerator<object[]> {
  yield* first
  yield* then
}
