import { answerParent } from '../clean/asking.ts'
import type { Made } from './made.ts'
import type { PictureJob } from './pictures.ts'
import type { WaveJob } from './wave.ts'

/** What a process of its own does for one file. */
export type ChildJob = ({ task: 'pictures' | 'posters' } & PictureJob) | ({ task: 'wave' } & WaveJob)

/** What it has made. */
export interface ChildAnswer {
  made: Made[]
}

await answerParent(async (given): Promise<ChildAnswer> => {
  const job = given as ChildJob
  if (job.task === 'wave') {
    const { makeWave } = await import('./wave.ts')
    return { made: await makeWave(job) }
  }
  const { makePictures, makePosters } = await import('./pictures.ts')
  return { made: await (job.task === 'pictures' ? makePictures(job) : makePosters(job)) }
})
