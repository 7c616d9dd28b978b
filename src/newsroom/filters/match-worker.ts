import { parentPort } from 'node:worker_threads'
import { HyperactiveError, messageOf } from '../../errors.ts'
import type { Pattern } from './filter.ts'
import type { MatchAnswer, MatchTask } from './matcher.ts'
import { compile } from './pattern.ts'
import type { Matching } from './pattern.ts'

const MOST_KEPT = 500
const compiled = new Map<string, Matching>()

function matchingOf({ way, pattern, parts, kinds }: Pattern): Matching {
  const key = JSON.stringify([way, pattern, parts, kinds])
  const known = compiled.get(key)
  if (known) return known
  const fresh = compile({ way, pattern, parts, kinds })
  if (compiled.size >= MOST_KEPT) compiled.clear()
  compiled.set(key, fresh)
  return fresh
}

function answer({ looks, texts }: MatchTask): MatchAnswer {
  try {
    const hits = looks.map(({ pattern, at }) => {
      const matches = matchingOf(pattern)
      return at.filter((index) => {
        const one = texts[index]
        return one !== undefined && matches(one)
      })
    })
    return { hits }
  } catch (error) {
    const code = error instanceof HyperactiveError ? error.code : 'filter_bad_pattern'
    return { code, message: messageOf(error) }
  }
}

parentPort?.on('message', (task: MatchTask) => parentPort?.postMessage(answer(task), []))
