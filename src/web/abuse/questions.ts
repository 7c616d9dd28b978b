import { createHash } from 'node:crypto'
import type { AbuseSettings } from '../../config/abuse.ts'
import type { Wording } from '../../i18n/wording.ts'
import { foldForSearch } from '../../search/fold.ts'

/** A question with the language that it is asked in. */
export interface Question {
  ask: string
  language: string | undefined
}

/** The questions that stand in for a proof of work: those of the settings, or else what the site is called. */
export class Questions {
  readonly #questions: AbuseSettings['questions']
  readonly #answers: ReadonlySet<string>

  constructor({ questions }: Pick<AbuseSettings, 'questions'>, siteName: string) {
    this.#questions = questions
    const answers = questions.length === 0 ? [siteName] : questions.flatMap((question) => question.answers)
    this.#answers = new Set(answers.map(folded))
  }

  /** The question for a form: one in the reader's language, if there is any. The token decides which. */
  ask(token: string, { language, t }: Wording): Question {
    const own = this.#questions.filter((question) => question.language === language)
    const anyone = this.#questions.filter((question) => question.language === undefined)
    const some = own.length > 0 ? own : anyone.length > 0 ? anyone : this.#questions
    const chosen = some[createHash('sha256').update(token).digest().readUInt32BE(0) % some.length]
    if (!chosen) return { ask: t('abuse.siteQuestion'), language: undefined }
    return { ask: chosen.ask, language: chosen.language }
  }

  /**
   * Whether it answers any of the questions: the language of a reader may have changed since the form was shown. Case,
   * accents and spaces do not matter.
   */
  isAnswer(answer: string): boolean {
    return this.#answers.has(folded(answer))
  }
}

function folded(text: string): string {
  return foldForSearch(text)
    .replaceAll(/[^\p{L}\p{N}]+/gu, ' ')
    .trim()
}
