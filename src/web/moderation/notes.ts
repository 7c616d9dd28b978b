import type { ParameterizedContext } from 'koa'
import { HyperactiveError } from '../../errors.ts'
import { LONGEST_NOTE } from '../../newsroom/notes.ts'
import type { WebContext } from '../context.ts'
import type { Form } from '../form.ts'
import { wordingFor } from '../page.ts'
import { knownPerson } from '../people/own-form.ts'

/** The notes on a target as its page shows them. */
export async function noteModels(ctx: ParameterizedContext, { notes, people }: WebContext, target: string) {
  const own = knownPerson(ctx).account.id
  return Promise.all(
    (await notes.on(target)).map(async ({ id, text, by, day }) => ({
      id,
      text,
      day,
      by: (await people.byId(by))?.handle ?? by.slice(0, 8),
      own: by === own,
    })),
  )
}

/**
 * Adds or deletes a note if that is what a moderator's form asks for; gives whether it was.
 *
 * @throws HyperactiveError `note_missing`, `note_too_long`, `too_many_notes` (422)
 */
export async function noteDown(
  ctx: ParameterizedContext,
  { notes }: WebContext,
  target: string,
  form: Form,
): Promise<boolean> {
  const { t } = wordingFor(ctx)
  const by = knownPerson(ctx).account.id
  const deleted = form.get('delete')
  if (deleted !== undefined) {
    await notes.delete(target, deleted, by)
    return true
  }
  if (form.get('action') !== 'note') return false
  const text = (form.get('note') ?? '').trim()
  if (text === '') throw new HyperactiveError('note_missing', t('notes.missing'), { status: 422 })
  if (text.length > LONGEST_NOTE)
    throw new HyperactiveError('note_too_long', t('notes.tooLong'), { status: 422 })
  try {
    await notes.add(target, { text, by })
  } catch (error) {
    if (!(error instanceof HyperactiveError) || error.code !== 'too_many_notes') throw error
    throw new HyperactiveError('too_many_notes', t('notes.tooMany'), { status: 422, cause: error })
  }
  return true
}
