import test from 'ava'
import { Budget } from '../../src/web/budget.ts'

test('a budget is spent, says how long to wait, and fills up evenly', (t) => {
  const budget = new Budget(2, 1000)
  budget.take('no', 0)
  budget.take('no', 0)
  t.like(
    t.throws(() => budget.take('no', 0)),
    { status: 429, retryAfterSeconds: 1 },
  )
  t.throws(() => budget.take('no', 900), { code: 'too_many' })
  budget.take('no', 1900)
  t.throws(() => budget.take('no', 1901))
  // However long nothing is asked, no more than it holds is saved up.
  budget.take('no', 1_000_000)
  budget.take('no', 1_000_000)
  t.throws(() => budget.take('no', 1_000_000))
})
