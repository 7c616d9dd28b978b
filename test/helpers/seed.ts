import * as fc from 'fast-check'

/**
 * The property tests try the same cases at every run, so that a run says something about the change that it is for.
 * `HYPERACTIVE_TEST_SEED=random` tries others, and a number repeats those of a run that failed.
 */
const { HYPERACTIVE_TEST_SEED: chosen = '20261124' } = process.env
if (chosen !== 'random') fc.configureGlobal({ seed: Number(chosen) })
