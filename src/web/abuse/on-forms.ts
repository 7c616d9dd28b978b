import type { ParameterizedContext } from 'koa'
import { allows } from '../../accounts/permissions.ts'
import { SCRIPTS } from '../../pages/assets.ts'
import type { ScriptName } from '../../pages/assets.ts'
import type { WebContext } from '../context.ts'
import type { Form } from '../form.ts'
import { wordingFor } from '../page.ts'
import { personOf } from '../people/person.ts'
import { Refusal } from './gate.ts'
import type { Attempt } from './gate.ts'
import type { Activity } from './limits.ts'

/** The challenge of a form, ready for its template. */
interface ShownChallenge {
  ask: string
  language: string | undefined
  bits: number
  token: string
  /** The script that works in the background. */
  worker: string
  /** What was typed, and what is wrong with it. */
  answer: string
  error: string | undefined
}

/** Whether somebody signed in sends this whom nothing holds up. */
export function isKnown(ctx: ParameterizedContext): boolean {
  return allows('moderate', personOf(ctx)?.roles ?? [])
}

/** What a form that was sent brings to the gate. */
export function attemptOf(
  ctx: ParameterizedContext,
  form: Form,
  rest: Pick<Attempt, 'activity' | 'item' | 'tags' | 'repeats'>,
): Attempt {
  const [token = '', work, answer] = [form.get('token'), form.get('work'), form.get('answer')]
  return { ...rest, token, work, answer, known: isKnown(ctx) }
}

/** What a form that is shown asks for, if anything, and the script that does it for the reader. */
export function challengeFor(
  ctx: ParameterizedContext,
  { gate }: Pick<WebContext, 'gate'>,
  { activity, item }: { activity: Activity; item?: string | undefined },
  { token, answer = '', error }: { token: string; answer?: string | undefined; error?: string | undefined },
): { challenge?: ShownChallenge; scripts: readonly ScriptName[] } {
  if (isKnown(ctx) || (error === undefined && !gate.asks(activity, item))) return { scripts: [] }
  const worker = SCRIPTS.prove.path
  const challenge = { ...gate.challenge(token, wordingFor(ctx)), token, worker, answer, error }
  return { challenge, scripts: ['work'] }
}

/** How a form comes back that the gate did not let pass. */
export interface GivenBack {
  status: number
  /** Said above the form. */
  notice?: string
  /** Said beside the question. */
  challengeError?: string
}

/**
 * How to give back a form that the gate refused, with the header that says when to try again; undefined for any other
 * error.
 */
export function refusalOf(ctx: ParameterizedContext, error: unknown): GivenBack | undefined {
  if (!(error instanceof Refusal)) return undefined
  const { status, message, retryAfterSeconds, ofChallenge } = error
  if (retryAfterSeconds !== undefined) ctx.set('Retry-After', String(retryAfterSeconds))
  return ofChallenge ? { status: 422, challengeError: message } : { status, notice: message }
}
