import type { Config } from '../../config/config.ts'
import { HyperactiveError } from '../../errors.ts'
import type { Wording } from '../../i18n/wording.ts'
import type { Slow } from '../../newsroom/slow.ts'
import { Limits } from './limits.ts'
import type { Activity } from './limits.ts'
import { Questions } from './questions.ts'
import type { Question } from './questions.ts'
import { Spent } from './spent.ts'
import { isWork } from './work.ts'

/** What somebody wants to do. */
export interface Attempt {
  activity: Activity
  /** The item that is edited or commented on. */
  item?: string
  /** Tags that what is published adds to a list, by the names under which they are listed. */
  tags?: readonly string[]
  /** A valid token of this node, which the proof is about; empty for none. */
  token: string
  /** The nonce of a proof of work, or the answer to the question. */
  work?: string | undefined
  answer?: string | undefined
  /** Whether the token by itself makes one thing, however often it comes. */
  repeats?: true
  /** Editors and moderators who are signed in are known, so that nothing here holds them up. */
  known?: boolean
}

/** What the gate did not let pass, and why. Nothing was saved. */
export class Refusal extends HyperactiveError {
  /** Whether the challenge is missing or not met. */
  get ofChallenge(): boolean {
    return this.code === 'challenge_missing' || this.code === 'wrong_answer'
  }
}

/** What has to be done before something is taken. */
export interface Challenge extends Question {
  /** Zero bits that the work has to have. */
  bits: number
}

/** Stands before everything that readers and authors send: budgets, slow mode, challenge. It knows nobody. */
export class Gate {
  readonly #settings: Config['abuse']
  readonly #limits: Limits
  readonly #slow: Slow
  readonly #questions: Questions
  readonly #spent = new Spent()

  constructor({ abuse, site }: Pick<Config, 'abuse' | 'site'>, slow: Slow) {
    this.#settings = abuse
    this.#limits = new Limits(abuse)
    this.#slow = slow
    this.#questions = new Questions(abuse, site.name)
  }

  /** Zero bits that a proof of work has to have. */
  get workBits(): number {
    return this.#settings.workBits
  }

  /** Whether a proof is asked for now. */
  asks(activity: Activity, item?: string): boolean {
    const { challenge } = this.#settings
    return challenge === 'always' || (challenge === 'busy' && this.#limits.isBusy(activity, item))
  }

  /** The challenge that a form with this token shows. */
  challenge(token: string, wording: Wording): Challenge {
    return { ...this.#questions.ask(token, wording), bits: this.workBits }
  }

  /**
   * Does it, if nothing stands against it. What fails then costs nothing, and can be tried again with the same proof.
   *
   * @throws {@link Refusal} `stale_form`, `challenge_missing`, `wrong_answer` (403); `slow_mode`, `too_many` (429)
   */
  async pass<Outcome>(attempt: Attempt, { t }: Wording, act: () => Promise<Outcome>): Promise<Outcome> {
    const { activity, item, token, repeats } = attempt
    if (attempt.known) return act()
    if (token !== '' && this.#spent.has(token)) {
      if (repeats) return act()
      throw new Refusal('stale_form', t('abuse.usedForm'), { status: 403 })
    }
    this.#checkProof(attempt, t)
    const keys = slowKeys(attempt)
    const { waitMs: slowMs, minutes } = this.#slow.wait(keys)
    if (slowMs > 0) throw refusal('slow_mode', t('abuse.slow', { count: minutes }), slowMs)
    const { waitMs, forItem } = this.#limits.wait(activity, item)
    if (waitMs > 0) throw refusal('too_many', t(forItem ? 'abuse.tooManyHere' : 'abuse.tooMany'), waitMs)
    const undo = [this.#limits.take(activity, item), this.#slow.take(keys)]
    if (token !== '') this.#spent.add(token)
    try {
      return await act()
    } catch (error) {
      for (const one of undo) one()
      this.#spent.remove(token)
      throw error
    }
  }

  /**
   * Counts a file that comes before what it is published with. The challenge stands before that.
   *
   * @param known whether somebody sends it whom nothing holds up
   * @throws {@link Refusal} `too_many` (429)
   */
  takeUpload(known: boolean, { t }: Wording): void {
    if (known) return
    const { waitMs } = this.#limits.wait('upload')
    if (waitMs > 0) throw refusal('too_many', t('abuse.tooMany'), waitMs)
    this.#limits.take('upload')
  }

  #checkProof({ activity, item, token, work = '', answer = '' }: Attempt, t: Wording['t']): void {
    if (!this.asks(activity, item)) return
    if (isWork(token, work, this.workBits) || this.#questions.isAnswer(answer)) return
    const refused = { status: 403 }
    if (answer.trim() === '') throw new Refusal('challenge_missing', t('abuse.answerMissing'), refused)
    throw new Refusal('wrong_answer', t('abuse.wrongAnswer'), refused)
  }
}

function slowKeys({ activity, item, tags = [] }: Attempt): string[] {
  if (activity === 'comment') return item === undefined ? [] : [`item:${item}`]
  return tags.map((tag) => `tag:${tag}`)
}

function refusal(code: string, message: string, waitMs: number): Refusal {
  return new Refusal(code, message, { status: 429, retryAfterSeconds: Math.ceil(waitMs / 1000) })
}
