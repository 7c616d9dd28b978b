import { z } from 'zod'

const count = z.int().min(1)

/** How often something may be done by everybody together: at once, and how fast that fills up again. */
function budget(atOnce: number, perHour: number) {
  return z.strictObject({ atOnce: count.default(atOnce), perHour: count.default(perHour) }).prefault({})
}

const question = z.strictObject({
  ask: z.string().min(1).max(300),
  answers: z.array(z.string().min(1).max(100)).min(1).max(20),
  language: z.string().min(2).max(35).optional(),
})

/** What protects a node from being flooded, without knowing who does it. `docs/abuse.md` explains each. */
export const abuseSettings = z
  .strictObject({
    limits: z.enum(['on', 'off']).default('on'),
    publish: budget(60, 240),
    edit: budget(120, 600),
    comment: budget(120, 600),
    report: budget(100, 600),
    upload: budget(300, 600),
    editsOfItem: budget(30, 60),
    commentsOnItem: budget(30, 120),
    challenge: z.enum(['off', 'busy', 'always']).default('busy'),
    workBits: z.int().min(1).max(24).default(20),
    questions: z.array(question).max(50).default([]),
  })
  .prefault({})

export type AbuseSettings = z.output<typeof abuseSettings>
